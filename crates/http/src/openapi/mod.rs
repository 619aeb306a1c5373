//! OpenAPI document, generated from the endpoints, and its web page.

mod operation;
mod problems;

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use utoipa::{
    OpenApi,
    openapi::{
        Components, OpenApi as Document,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    call::{Call, HandlerResult},
    endpoints::endpoints,
    resource::PathRoutes,
};

const PATH: &str = "/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(title = "RapidPhotoUpload", description = include_str!("introduction.md"), license(name = "MIT OR Apache-2.0")),
    // Schemas of problems and stream events, which no endpoint names as its body.
    components(schemas(
        rapidphoto_api_types::Problem,
        rapidphoto_api_types::PhotoStreamEvent,
        rapidphoto_api_types::JobStreamEvent,
        rapidphoto_api_types::UserStreamStart,
        rapidphoto_api_types::StreamReset,
        rapidphoto_api_types::StreamEnd,
    )),
    tags(
        (name = "accounts", description = "Accounts and tokens."),
        (name = "uploads", description = "Upload jobs, from their creation to the arrival of all files."),
        (name = "photos", description = "Single photos and lists of photos."),
        (name = "streams", description = "Live events."),
        (name = "operations", description = "For operators of the server."),
    )
)]
struct Api;

/// OpenAPI 3.1 document of the whole API.
pub fn document() -> Document {
    let mut document = Api::openapi();
    let introduction = document.info.description.get_or_insert_default();
    introduction.push_str(&problems::table());
    let components = document.components.get_or_insert_default();
    add_security_schemes(components);
    for endpoint in endpoints() {
        components.schemas.extend(endpoint.schemas.iter().cloned());
        let operation = operation::complete(&endpoint);
        document
            .paths
            .add_path_operation(endpoint.path, endpoint.methods, operation);
    }
    document
}

fn add_security_schemes(components: &mut Components) {
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".to_owned());
    bearer.description =
        Some("Access token. Its scopes limit its use: `photos:read`, `photos:write`, `admin`.".to_owned());
    let mut basic = Http::new(HttpAuthScheme::Basic);
    basic.description = Some("E-mail address and password, for the login only.".to_owned());
    let ticket = ApiKeyValue::with_description("ticket", "Stream ticket, for `EventSource`.");
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme("basic", SecurityScheme::Http(basic));
    components.add_security_scheme("ticket", SecurityScheme::ApiKey(ApiKey::Query(ticket)));
}

/// Registers the routes of the document and its page. The page loads nothing from other servers.
pub(crate) fn serve(config: &mut ServiceConfig) {
    // The validator's badge would be an image from another server.
    let page = Config::from(PATH).validator_url("none").try_it_out_enabled(true);
    let mut document = PathRoutes::default();
    document.add(vec!["GET", "HEAD"], web::route().to(show));
    let mut docs = PathRoutes::default();
    docs.add(vec!["GET", "HEAD"], web::route().to(redirect_to_page));
    config
        .service(document.into_resource(PATH))
        .service(docs.into_resource("/docs"))
        .service(SwaggerUi::new("/docs/{_:.*}").config(page));
}

async fn show(_call: Call, document: web::Data<OpenApiJson>) -> HandlerResult {
    Ok(HttpResponse::Ok()
        .content_type(header::ContentType::json())
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(document.0.clone()))
}

async fn redirect_to_page(_call: Call) -> HandlerResult {
    Ok(HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/docs/"))
        .finish())
}

/// Encoded document, shared by all requests.
pub(crate) struct OpenApiJson(bytes::Bytes);

impl OpenApiJson {
    pub(crate) fn new() -> Result<Self, serde_json::Error> {
        document().to_json().map(|json| Self(json.into()))
    }
}
