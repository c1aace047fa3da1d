//! The OpenAPI document, made of the handlers themselves.

use axum::Json;
use axum::response::IntoResponse;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{alerts, tickets};

/// What is served under `/api/v1`.
#[derive(OpenApi)]
#[openapi(
    info(title = "zhiban", description = "Reports, messages and satisfaction for the service desk."),
    paths(tickets::create, tickets::show, tickets::message, tickets::satisfaction, alerts::alertmanager,
        alerts::webhook),
    modifiers(&Bearer),
    security(("token" = []))
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// The document.
pub(super) async fn openapi() -> impl IntoResponse {
    Json(Document::openapi())
}
