//! The listener: intake over HTTP or HTTPS, `/healthz`, `/metrics`, the OpenAPI document.

mod alerts;
mod auth;
mod docs;
mod metrics;
mod problem;
mod survey;
mod tickets;
mod wecom;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;

use crate::action::Door;
use crate::clock::SECOND;
use crate::config;
use crate::intake::store::{Service, beat};
use crate::intake::writer::Writer;
use crate::locale::intake as say;
use auth::Gate;
use problem::Problem;

/// How often a service says that it is there.
const BEAT: Duration = Duration::from_secs(10);
/// How long open requests may go on once it is time to leave.
const GRACE: Duration = Duration::from_secs(5);

/// What every handler is handed.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    door: Door,
    writer: Writer,
    gate: Arc<Gate>,
    counts: Arc<metrics::Counts>,
}

/// Every address that is served.
fn router(desk: Desk) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics::metrics))
        .route("/api/v1/wecom/{app}/callback", get(wecom::verify).post(wecom::callback))
        .route("/s/{ticket}/{mark}", get(survey::ask).post(survey::answer))
        .route("/api/v1/openapi.json", get(docs::openapi))
        .route("/api/v1/tickets", post(tickets::create))
        .route("/api/v1/tickets/{id}", get(tickets::show))
        .route("/api/v1/tickets/{id}/messages", post(tickets::message))
        .route("/api/v1/tickets/{id}/satisfaction", post(tickets::satisfaction))
        .route("/api/v1/alerts/alertmanager", post(alerts::alertmanager))
        .route("/api/v1/alerts/{mapping}", post(alerts::webhook))
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, say::no_such_path()) })
        .method_not_allowed_fallback(|| async { Problem::new(StatusCode::METHOD_NOT_ALLOWED, say::no_such_method()) })
        .layer(axum::middleware::from_fn_with_state(desk.clone(), metrics::count))
        .with_state(desk)
}

/// Answers only when the store does.
async fn healthz(State(desk): State<Desk>) -> axum::response::Response {
    match desk.door.store().ping().await {
        Ok(_) => (StatusCode::OK, "ok\n").into_response(),
        Err(e) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, e.to_string()).into_response(),
    }
}

/// Reads certificate and key; `None` when neither is configured.
async fn tls(serve: &config::Serve) -> Result<Option<RustlsConfig>, String> {
    if serve.tls_certificate.is_empty() {
        return Ok(None);
    }
    crate::net::use_ring();
    let read = |file: &str| std::fs::read(Path::new(file)).map_err(|e| say::bad_tls(file, &e.to_string()));
    let (certificate, key) = (read(&serve.tls_certificate)?, read(&serve.tls_key)?);
    if !certificate.windows(27).any(|w| w == b"-----BEGIN CERTIFICATE-----") {
        return Err(say::bad_tls(&serve.tls_certificate, &say::no_certificate()));
    }
    let config = RustlsConfig::from_pem(certificate, key).await;
    config.map(Some).map_err(|e| say::bad_tls(&serve.tls_key, &e.to_string()))
}

/// A listener that is bound and not yet serving.
#[derive(Debug)]
pub struct Listener {
    socket: std::net::TcpListener,
    address: SocketAddr,
    tls: Option<RustlsConfig>,
    finding: String,
}

impl Listener {
    /// Binds to `listen`, with the encryption of the configuration.
    ///
    /// # Errors
    /// When the address makes no sense or is taken, the certificate cannot be used, or plain HTTP would leave this
    /// machine without `plain_http`.
    pub async fn bind(listen: &str, serve: &config::Serve) -> Result<Self, String> {
        let wanted: SocketAddr = listen.parse().map_err(|_| say::bad_address(listen))?;
        let tls = tls(serve).await?;
        let plain_outside = tls.is_none() && !wanted.ip().is_loopback();
        if plain_outside && !serve.plain_http {
            return Err(say::plain_refused(listen));
        }
        let failed = |e: std::io::Error| say::cannot_listen(listen, &e.to_string());
        let socket = std::net::TcpListener::bind(wanted).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let finding = if plain_outside { say::plain_finding(&address.to_string()) } else { String::new() };
        Ok(Self { socket, address, tls, finding })
    }

    /// Where it listens, as a URL: the port is the real one where 0 was asked for.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    /// What is wrong with how it listens; empty: nothing.
    pub fn finding(&self) -> &str {
        &self.finding
    }

    /// Serves until `stop` is sent or dropped.
    ///
    /// # Errors
    /// When the socket fails.
    pub async fn serve(self, door: Door, mut stop: tokio::sync::watch::Receiver<bool>) -> std::io::Result<()> {
        let limits = door.config().serve.clone();
        let desk = Desk {
            writer: Writer::start(door.clone()),
            gate: Arc::new(Gate::new(&limits)),
            counts: Arc::default(),
            door: door.clone(),
        };
        let beats = tokio::spawn(say_that_it_listens(door, self.url(), self.finding.clone()));
        let handle = Handle::new();
        let leaving = handle.clone();
        tokio::spawn(async move {
            _ = stop.changed().await;
            leaving.graceful_shutdown(Some(GRACE));
        });
        let service = router(desk).into_make_service_with_connect_info::<SocketAddr>();
        let timeout = limits.read_timeout.std();
        let result = match self.tls {
            Some(tls) => {
                let mut server = axum_server::from_tcp_rustls(self.socket, tls)?.handle(handle);
                server.http_builder().http1().timer(hyper_util::rt::TokioTimer::new()).header_read_timeout(timeout);
                server.serve(service).await
            }
            None => {
                let mut server = axum_server::from_tcp(self.socket)?.handle(handle);
                server.http_builder().http1().timer(hyper_util::rt::TokioTimer::new()).header_read_timeout(timeout);
                server.serve(service).await
            }
        };
        beats.abort();
        result
    }
}

async fn say_that_it_listens(door: Door, address: String, finding: String) {
    let host = sysinfo::System::host_name().unwrap_or_default();
    let name = format!("{host}/{}", std::process::id());
    let started = door.clock().now();
    let mut every = tokio::time::interval(BEAT);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let now = door.clock().now();
        let service = Service { name: name.clone(), address: address.clone(), at: now, finding: finding.clone() };
        if let Err(e) = beat(door.store(), &service, started).await {
            tracing::warn!("service: {e}");
        }
    }
}

/// A service that has said nothing for so long is not there any more.
pub const SILENT_AFTER: crate::clock::Millis = 3 * 10 * SECOND;
