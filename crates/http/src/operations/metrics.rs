use std::sync::Arc;

use actix_web::HttpResponse;

use crate::{
    call::{Call, HandlerResult},
    endpoint::Endpoint,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::public::<__path_metrics>(metrics)
        .without_dependencies()
        .for_operators()
}

/// Metrics of the process in Prometheus' text format. On the listener for operators, if there is one.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    responses((status = 200, description = "The metrics.", body = String, content_type = "text/plain"))
)]
async fn metrics(call: Call) -> HandlerResult {
    let metrics = Arc::clone(&call.shared.app.metrics);
    let text = call.on_main_always(async move { metrics() }).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text))
}
