use actix_web::HttpResponse;
use rapidphoto_api_types::Health;

use crate::call::{Answer, Call, json};

/// Whether the process is alive; it asks nobody.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    responses((status = 200, description = "It is.", body = Health))
)]
pub(crate) async fn healthz(_call: Call) -> Answer {
    let status = "alive".to_owned();
    json(&mut HttpResponse::Ok(), &Health { status })
}
