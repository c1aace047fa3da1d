//! The one TLS stack (rustls with ring), for everything that listens or calls.

use std::time::Duration;

/// Makes ring the provider of this process; harmless to call again.
pub fn use_ring() {
    // an error only says that it is there already
    _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client for calls over HTTP and HTTPS that follows no redirects: each call takes at most `timeout`.
///
/// # Errors
/// When this machine's certificates cannot be read.
pub fn http_client(timeout: Duration) -> Result<reqwest::Client, String> {
    use_ring();
    reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("zhiban/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| e.to_string())
}
