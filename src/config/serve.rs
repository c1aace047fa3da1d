//! `[serve]`

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{Dur, Problems};

/// `[serve]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Serve {
    /// Where `zhiban serve` listens: address and port. Also `--listen`.
    pub listen: String,
    /// Certificate chain, PEM; empty: plain HTTP.
    pub tls_certificate: String,
    /// Its key, PEM.
    pub tls_key: String,
    /// Whether plain HTTP is served on other than loopback addresses. Shown as a finding.
    pub plain_http: bool,
    /// Most bytes of a request's body.
    pub body_limit: u64,
    /// Requests a second that one source may keep up.
    pub rate: u32,
    /// Requests that one source may send at once.
    pub burst: u32,
    /// How long a request's head and body may take to arrive, each.
    pub read_timeout: Dur,
    /// A message without a ticket's number joins the open ticket of who sent one so long ago at most.
    pub conversation: Dur,
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8440".into(),
            tls_certificate: String::new(),
            tls_key: String::new(),
            plain_http: false,
            body_limit: 4 << 20,
            rate: 5_000,
            burst: 10_000,
            read_timeout: Dur(10_000),
            conversation: Dur(72 * 3_600_000),
        }
    }
}

impl Serve {
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.listen.parse::<SocketAddr>().is_err() {
            problems.add(&["serve", "listen"], crate::locale::intake::bad_address(&self.listen));
        }
        if self.tls_certificate.is_empty() != self.tls_key.is_empty() {
            problems.add(&["serve", "tls_certificate"], crate::locale::intake::key_for_certificate());
        }
        if !(1_024..=64 << 20).contains(&self.body_limit) {
            problems.add(&["serve", "body_limit"], "is not between 1024 and 67108864");
        }
        if self.rate == 0 || self.burst == 0 {
            problems.add(&["serve", "rate"], "rate and burst are at least 1");
        }
        if !(1_000..=600_000).contains(&self.read_timeout.millis()) {
            problems.add(&["serve", "read_timeout"], "is not between 1s and 10m");
        }
    }
}
