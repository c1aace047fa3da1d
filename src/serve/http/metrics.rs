//! Figures for a monitoring system, in the OpenMetrics text format.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Desk;
use super::problem::Problem;
use crate::tickets::store as tickets;

/// Upper bounds of the buckets of request durations, in seconds.
const BOUNDS: [f64; 8] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0];

/// What was counted since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    by_class: [AtomicU64; 5],
    buckets: [AtomicU64; 8],
    slower: AtomicU64,
    micros: AtomicU64,
    held: AtomicU64,
}

impl Counts {
    pub(super) fn held(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    fn request(&self, status: u16, took: std::time::Duration) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.by_class[class].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        match BOUNDS.iter().position(|b| took.as_secs_f64() <= *b) {
            Some(i) => self.buckets[i].fetch_add(1, Ordering::Relaxed),
            None => self.slower.fetch_add(1, Ordering::Relaxed),
        };
    }
}

/// Counts a request for intake; looking at the service itself is not counted.
pub(super) async fn count(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let intake = request.extensions().get::<MatchedPath>().is_some_and(|p| p.as_str().starts_with("/api/"));
    let started = std::time::Instant::now();
    let response = next.run(request).await;
    if intake {
        desk.counts.request(response.status().as_u16(), started.elapsed());
    }
    response
}

/// The figures.
pub(super) async fn metrics(State(desk): State<Desk>) -> Result<Response, Problem> {
    let store = desk.door.store();
    let now = desk.door.clock().now();
    let counts = tickets::counts(store, "", now).await?;
    let waiting = crate::intake::store::held_count(store).await?;
    let mut out = String::new();
    let c = &desk.counts;
    let get = |n: &AtomicU64| n.load(Ordering::Relaxed);
    _ = writeln!(
        out,
        "# TYPE zhiban_http_requests counter\n# HELP zhiban_http_requests Requests for intake by status."
    );
    for (i, n) in c.by_class.iter().enumerate() {
        _ = writeln!(out, "zhiban_http_requests_total{{class=\"{}xx\"}} {}", i + 1, get(n));
    }
    _ = writeln!(out, "# TYPE zhiban_http_request_seconds histogram\n# UNIT zhiban_http_request_seconds seconds");
    let mut total = 0;
    for (bound, n) in BOUNDS.iter().zip(&c.buckets) {
        total += get(n);
        _ = writeln!(out, "zhiban_http_request_seconds_bucket{{le=\"{bound:?}\"}} {total}");
    }
    total += get(&c.slower);
    _ = writeln!(out, "zhiban_http_request_seconds_bucket{{le=\"+Inf\"}} {total}");
    _ = writeln!(out, "zhiban_http_request_seconds_count {total}");
    _ = writeln!(out, "zhiban_http_request_seconds_sum {}", get(&c.micros) as f64 / 1e6);
    _ = writeln!(out, "# TYPE zhiban_tickets gauge\n# HELP zhiban_tickets Open tickets by queue.");
    for (queue, n) in tickets::Queue::ORDER.iter().zip(counts) {
        if *queue != tickets::Queue::Mine {
            _ = writeln!(out, "zhiban_tickets{{queue=\"{}\"}} {n}", format!("{queue:?}").to_lowercase());
        }
    }
    _ = writeln!(out, "# TYPE zhiban_quarantine gauge\n# HELP zhiban_quarantine What waits in quarantine.");
    _ = writeln!(out, "zhiban_quarantine {waiting}");
    _ = writeln!(out, "# TYPE zhiban_quarantined counter\nzhiban_quarantined_total {}", get(&c.held));
    out.push_str("# EOF\n");
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], out).into_response())
}
