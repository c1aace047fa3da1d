//! Who sends, whether they may, and how fast.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};

use super::Desk;
use super::problem::Problem;
use crate::config;
use crate::intake::model::{TokenKind, digest};
use crate::intake::store::{self, Token};
use crate::locale::intake as say;

/// How long a token that was looked up is trusted: a revoked one works no longer than this.
const TRUST: Duration = Duration::from_secs(1);
/// Tokens and sources remembered; more come only from guessing.
const REMEMBERED: usize = 1_024;

/// Addresses remembered that sent wrong tokens; more come only from who has many.
const STRANGERS: usize = 16_384;
/// The time over which wrong tokens are counted.
const A_MINUTE: f64 = 60.0;

/// Who calls: the headers of a request, and where it comes from.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) headers: HeaderMap,
    address: Option<IpAddr>,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| network(c.0.ip()));
        Ok(Self { headers: parts.headers.clone(), address })
    }
}

/// What one subscriber has: an IPv4 address, or 64 bits of an IPv6 one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The limits of every source, and the tokens looked up lately.
#[derive(Debug)]
pub(super) struct Gate {
    body_limit: usize,
    read_timeout: Duration,
    rate: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
    known: Mutex<HashMap<String, (Token, Instant)>>,
    /// Wrong tokens that an address may send in a minute, for each kind.
    wrong_tokens: f64,
    strangers: Mutex<HashMap<(IpAddr, TokenKind), Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Gate {
    pub(super) fn new(serve: &config::Serve) -> Self {
        Self {
            body_limit: usize::try_from(serve.body_limit).unwrap_or(usize::MAX),
            read_timeout: serve.read_timeout.std(),
            rate: f64::from(serve.rate),
            burst: f64::from(serve.burst),
            buckets: Mutex::default(),
            known: Mutex::default(),
            wrong_tokens: f64::from(serve.wrong_tokens),
            strangers: Mutex::default(),
        }
    }

    /// Takes one request out of the source's allowance.
    pub(super) fn take(&self, source: &str, now: Instant) -> Result<(), Problem> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > REMEMBERED {
            let (burst, rate) = (self.burst, self.rate);
            buckets.retain(|_, b| b.left + now.duration_since(b.at).as_secs_f64() * rate < burst);
        }
        let bucket = buckets.entry(source.to_owned()).or_insert(Bucket { left: self.burst, at: now });
        bucket.left = (bucket.left + now.duration_since(bucket.at).as_secs_f64() * self.rate).min(self.burst);
        bucket.at = now;
        if bucket.left < 1.0 {
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, say::too_fast()).wait(1));
        }
        bucket.left -= 1.0;
        Ok(())
    }

    /// Whether this token was in force once since the start: it is looked up, however many wrong ones come from there.
    fn was_known(&self, hash: &str) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains_key(hash)
    }

    /// Refuses, unread, the tokens of an address that has sent too many wrong ones.
    fn is_stranger(&self, at: (IpAddr, TokenKind), now: Instant) -> Result<(), Problem> {
        let strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = self.wrong_tokens / A_MINUTE;
        let left =
            strangers.get(&at).map_or(self.wrong_tokens, |b| b.left + now.duration_since(b.at).as_secs_f64() * rate);
        if left >= 1.0 {
            return Ok(());
        }
        let wait = ((1.0 - left) / rate).ceil().max(1.0) as u64;
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, say::too_many_wrong_tokens()).wait(wait))
    }

    /// Counts a wrong token of an address. That it has sent too many is told once, not with each.
    fn sent_wrong(&self, at: (IpAddr, TokenKind), now: Instant) {
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        let (most, rate) = (self.wrong_tokens, self.wrong_tokens / A_MINUTE);
        if strangers.len() >= STRANGERS {
            strangers.retain(|_, b| b.left + now.duration_since(b.at).as_secs_f64() * rate < most);
            if strangers.len() >= STRANGERS {
                strangers.clear();
            }
        }
        let bucket = strangers.entry(at).or_insert(Bucket { left: most, at: now });
        let before = (bucket.left + now.duration_since(bucket.at).as_secs_f64() * rate).min(most);
        *bucket = Bucket { left: before - 1.0, at: now };
        if before >= 1.0 && bucket.left < 1.0 {
            tracing::warn!(address = %at.0, kind = at.1.word(), "too many wrong tokens");
        }
    }

    fn recall(&self, hash: &str, now: Instant) -> Option<Token> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).filter(|(_, at)| now.duration_since(*at) < TRUST).map(|(token, _)| token.clone())
    }

    fn remember(&self, hash: String, token: Token, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > REMEMBERED {
            known.clear();
        }
        known.insert(hash, (token, now));
    }
}

impl Desk {
    /// The token of a request, of kind `kind`, within its limits.
    pub(super) async fn admit(&self, caller: &Caller, kind: TokenKind) -> Result<Token, Problem> {
        let unauthorized = |why: String| Problem::new(StatusCode::UNAUTHORIZED, why);
        let given = caller.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let secret = match given.split_once(' ') {
            Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => secret.trim(),
            _ => return Err(unauthorized(say::no_token())),
        };
        // only hashes are compared, and only by the database: what is learnt from its timing is of no use
        let hash = digest(secret.as_bytes());
        let now = Instant::now();
        let token = match self.gate.recall(&hash, now) {
            Some(token) => token,
            None => {
                let at = caller.address.map(|address| (address, kind));
                if let Some(at) = at.filter(|_| !self.gate.was_known(&hash)) {
                    self.gate.is_stranger(at, now)?;
                }
                let Some(token) = store::token_by_hash(self.door.store(), &hash).await? else {
                    if let Some(at) = at {
                        self.gate.sent_wrong(at, now);
                    }
                    return Err(unauthorized(say::wrong_token()));
                };
                self.gate.remember(hash, token.clone(), now);
                token
            }
        };
        if token.kind != kind {
            return Err(Problem::new(StatusCode::FORBIDDEN, say::wrong_kind(token.kind.word())));
        }
        self.gate.take(&token.source, now)?;
        Ok(token)
    }

    /// The whole body, within the configured limits of size and time.
    pub(super) async fn body(&self, body: Body) -> Result<Vec<u8>, Problem> {
        self.body_within(body, self.gate.body_limit).await
    }

    /// The whole body, of at most `limit` bytes and the configured ones.
    pub(super) async fn body_within(&self, body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
        let limit = limit.min(self.gate.body_limit);
        let too_large = || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, say::body_too_large(limit));
        match tokio::time::timeout(self.gate.read_timeout, to_bytes(body, limit)).await {
            Ok(Ok(bytes)) => Ok(bytes.into()),
            Ok(Err(e)) if std::error::Error::source(&e).is_some_and(|s| s.is::<http_body_util::LengthLimitError>()) => {
                Err(too_large())
            }
            Ok(Err(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, say::body_not_read())),
            Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, say::body_not_read())),
        }
    }
}
