use actix_web::HttpResponse;
use rapidphoto_api_types::Health;

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::public::<__path_healthz>(healthz)
        .without_dependencies()
        .for_everyone()
}

/// Liveness of the process, without a check of its dependencies.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    responses((status = 200, description = "The process is alive.", body = Health))
)]
async fn healthz(_call: Call) -> HandlerResult {
    let status = "alive".to_owned();
    json(&mut HttpResponse::Ok(), &Health { status })
}
