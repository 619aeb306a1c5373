//! The API's description, generated from the code, and its page.

mod bodies;
mod refusals;

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use self::{bodies::OptionalBodies, refusals::Refusals};
use crate::{
    call::{Answer, Call},
    commands, operations, queries,
    routes::at,
};

const PATH: &str = "/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(title = "RapidPhotoUpload", description = include_str!("introduction.md"), license(name = "MIT OR Apache-2.0")),
    paths(
        commands::register::register,
        commands::log_in::log_in,
        commands::refresh::refresh,
        commands::log_out::log_out,
        commands::stream_ticket::issue_stream_ticket,
        commands::create_job::create_job,
        commands::report_progress::report_progress,
        commands::finalize_upload::finalize_upload,
        commands::cancel_job::cancel_job,
        commands::delete_photo::delete_photo,
        queries::job::show_job,
        queries::job_events::watch_job,
        queries::user_events::watch_user,
        queries::list_photos::list_photos,
        queries::photo::show_photo,
        queries::download_url::download_url,
        queries::history::photo_history,
        operations::healthz::healthz,
        operations::readyz::readyz,
        operations::metrics::metrics,
    ),
    // What streams and refusals carry: no endpoint names these as its body.
    components(schemas(
        rapidphoto_api_types::Problem,
        rapidphoto_api_types::PhotoStreamEvent,
        rapidphoto_api_types::JobStreamEvent,
        rapidphoto_api_types::UserStreamStart,
        rapidphoto_api_types::StreamReset,
    )),
    tags(
        (name = "accounts", description = "Who is asking."),
        (name = "uploads", description = "From the promise of files to their arrival."),
        (name = "photos", description = "Photos one by one, and lists of them."),
        (name = "streams", description = "What happens, while it happens."),
        (name = "operations", description = "For those who operate the deployment."),
    ),
    modifiers(&Schemes, &OptionalBodies, &Refusals)
)]
struct Api;

/// The whole API in OpenAPI 3.1.
pub fn document() -> Document {
    Api::openapi()
}

/// How clients prove who they are.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        bearer.description = Some(
            "An access token. Its scopes say what it allows: `photos:read`, `photos:write`, `admin`."
                .to_owned(),
        );
        let mut basic = Http::new(HttpAuthScheme::Basic);
        basic.description = Some("E-mail address and password, to log in.".to_owned());
        let ticket = ApiKeyValue::with_description("ticket", "A stream ticket, for `EventSource`.");
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("basic", SecurityScheme::Http(basic));
        components.add_security_scheme("ticket", SecurityScheme::ApiKey(ApiKey::Query(ticket)));
    }
}

/// Serves the description and its page, which loads nothing from elsewhere.
pub(crate) fn serve(config: &mut ServiceConfig) {
    // The validator's badge would be fetched from a stranger's server.
    let page = Config::from(PATH).validator_url("none").try_it_out_enabled(true);
    config
        .service(at(PATH).get(show).done())
        .service(at("/docs").get(to_page).done())
        .service(SwaggerUi::new("/docs/{_:.*}").config(page));
}

async fn show(_call: Call, document: web::Data<Rendered>) -> Answer {
    Ok(HttpResponse::Ok()
        .content_type(header::ContentType::json())
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(document.0.clone()))
}

async fn to_page(_call: Call) -> Answer {
    Ok(HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/docs/"))
        .finish())
}

/// The description as it is sent.
pub(crate) struct Rendered(bytes::Bytes);

impl Rendered {
    pub(crate) fn new() -> Result<Self, serde_json::Error> {
        document().to_json().map(|json| Self(json.into()))
    }
}
