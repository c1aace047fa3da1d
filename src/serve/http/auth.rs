//! Who sends, whether they may, and how fast.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
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

/// The limits of every source, and the tokens looked up lately.
#[derive(Debug)]
pub(super) struct Gate {
    body_limit: usize,
    read_timeout: Duration,
    rate: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
    known: Mutex<HashMap<String, (Token, Instant)>>,
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
    pub(super) async fn admit(&self, headers: &HeaderMap, kind: TokenKind) -> Result<Token, Problem> {
        let unauthorized = |why: String| Problem::new(StatusCode::UNAUTHORIZED, why);
        let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
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
                let found = store::token_by_hash(self.door.store(), &hash).await?;
                let token = found.ok_or_else(|| unauthorized(say::wrong_token()))?;
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
