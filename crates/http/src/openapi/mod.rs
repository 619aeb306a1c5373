//! OpenAPI document, generated from the endpoints, and its web page.

mod operation;
mod problems;

use std::{borrow::Cow, sync::Arc};

use actix_web::{
    HttpResponse, Route,
    http::header,
    web::{self, ServiceConfig},
};
use bytes::Bytes;
use utoipa::{
    OpenApi,
    openapi::{
        Components, OpenApi as Document, RefOr, Schema,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_swagger_ui::Config;

use crate::{
    call::{Call, HandlerResult},
    endpoints::endpoints,
    problem::{Problem, kinds},
    resource::PathRoutes,
};

const PATH: &str = "/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(title = "RapidPhotoUpload API", description = include_str!("introduction.md"), license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")),
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
        (name = "administration", description = "For users with the scope `admin`."),
        (name = "operations", description = "For operators of the server."),
    )
)]
struct Api;

/// OpenAPI 3.1 document of the whole API.
pub fn document() -> Document {
    let mut document = Api::openapi();
    let components = document.components.get_or_insert_default();
    add_security_schemes(components);
    // At the schema, which the page shows after the endpoints.
    if let Some(RefOr::T(Schema::Object(problem))) = components.schemas.get_mut("Problem") {
        problem
            .description
            .get_or_insert_default()
            .push_str(&problems::table());
    }
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
    config
        .service(reading(web::route().to(show)).into_resource(PATH))
        .service(reading(web::route().to(redirect_to_page)).into_resource("/docs"))
        .service(reading(web::route().to(show_page)).into_resource("/docs/{file:.*}"));
}

fn reading(route: Route) -> PathRoutes {
    let mut routes = PathRoutes::default();
    routes.add(vec!["GET", "HEAD"], route);
    routes
}

async fn show(_call: Call, documentation: web::Data<Documentation>) -> HandlerResult {
    Ok(HttpResponse::Ok()
        .content_type(header::ContentType::json())
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(documentation.document.clone()))
}

async fn redirect_to_page(_call: Call) -> HandlerResult {
    Ok(HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/docs/"))
        .finish())
}

async fn show_page(
    _call: Call,
    file: web::Path<String>,
    documentation: web::Data<Documentation>,
) -> HandlerResult {
    documentation.file(&file)
}

/// Scripts and requests of the page's own origin; Swagger UI sets styles in its elements and embeds its icons.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                           img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'none'";

/// Encoded document and the settings of its page, shared by all requests.
pub(crate) struct Documentation {
    document: Bytes,
    page: Arc<Config<'static>>,
}

impl Documentation {
    pub(crate) fn new() -> Result<Self, serde_json::Error> {
        // The validator's badge would be an image from another server.
        let page = Config::from(PATH).validator_url("none").try_it_out_enabled(true);
        Ok(Self {
            document: document().to_json()?.into(),
            page: Arc::new(page),
        })
    }

    /// A file of the page. The large ones are served from the binary itself, without a copy.
    fn file(&self, name: &str) -> HandlerResult {
        let found = utoipa_swagger_ui::serve(name, Arc::clone(&self.page));
        let found = found.map_err(|error| Problem::internal(error.to_string()))?;
        let file = found.ok_or_else(|| Problem::new(kinds::NO_SUCH_ROUTE))?;
        let is_page = file.content_type.starts_with("text/html");
        if is_page && let Ok(page) = str::from_utf8(&file.bytes) {
            let page = page.replace("<title>Swagger UI</title>", "<title>RapidPhotoUpload API</title>");
            return Ok(HttpResponse::Ok()
                .insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY))
                .content_type(file.content_type)
                .body(page));
        }
        let mut response = HttpResponse::Ok();
        if file.gzpipped {
            response.insert_header(header::ContentEncoding::Gzip);
        }
        response.insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY));
        Ok(response.content_type(file.content_type).body(match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        }))
    }
}
