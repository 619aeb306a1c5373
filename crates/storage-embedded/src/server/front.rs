use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use rapidphoto_application::ports::Ids;
use s3s::service::S3Service;
use s3s::{Body, HttpError, S3Error, s3_error};
use tokio_util::task::TaskTracker;

use super::body::{self, BodyWatch, WatchedBody};
use super::cors::Cors;
use crate::config::EmbeddedConfig;

/// How much of a refused body is read, so that its client gets to see the answer: until it has sent what it has to
/// send it may not look, and cutting it off reads as a network fault. A refused photo fits in.
const REFUSED_BODY_BYTES: u64 = 64 * 1024 * 1024;

/// Answers requests: what the protocol says, with what every answer needs.
pub(crate) struct Front {
    protocol: S3Service,
    cors: Cors,
    ids: Arc<dyn Ids>,
    idle_timeout: Duration,
    refused_body_bytes: u64,
    tasks: TaskTracker,
}

impl Front {
    pub(crate) fn new(
        config: &EmbeddedConfig,
        protocol: S3Service,
        ids: Arc<dyn Ids>,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            protocol,
            cors: Cors::new(&config.allowed_origins),
            ids,
            idle_timeout: config.idle_timeout,
            refused_body_bytes: REFUSED_BODY_BYTES.min(config.max_object_bytes),
            tasks,
        }
    }

    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, HttpError> {
        let request_id = format!("{:032X}", self.ids.ulid());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let origin = request.headers().get(header::ORIGIN).cloned();

        let mut response = if method == Method::OPTIONS {
            self.cors.preflight(request.headers())?
        } else if is_form(request.headers()) {
            // `s3s` would read the whole form before it asked who sends it.
            refusal(s3_error!(NotImplemented, "Uploads by form are not implemented"))?
        } else {
            self.through_protocol(request).await?
        };

        let headers = response.headers_mut();
        if let Some(origin) = origin {
            self.cors.allow(&origin, headers);
        }
        // What users stored must never become a page that runs in this origin.
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox"),
        );
        if let Ok(id) = HeaderValue::try_from(&request_id) {
            headers.insert(HeaderName::from_static("x-amz-request-id"), id);
        }
        // Without the query: it holds signatures.
        tracing::debug!(%method, path, status = response.status().as_u16(), request_id, "answered");
        Ok(response)
    }

    async fn through_protocol(&self, request: Request<Incoming>) -> Result<Response<Body>, HttpError> {
        let watch = BodyWatch::default();
        // A client that waits for leave to send its body has nothing under way that would have to be read.
        let waits = request.headers().contains_key(header::EXPECT);
        let mut request =
            request.map(|body| Body::http_body(WatchedBody::new(body, self.idle_timeout, watch.clone())));
        request.extensions_mut().insert(watch.clone());

        let response = self.protocol.call(request).await;
        if let Some(rest) = watch.take_rest(waits) {
            // Beside the answer, which a client may well read while it sends.
            self.tasks
                .spawn(body::discard(rest, self.refused_body_bytes, self.idle_timeout));
        }
        response
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .trim_start()
                .to_ascii_lowercase()
                .starts_with("multipart/form-data")
        })
}

/// An error in S3's own words.
pub(super) fn refusal(error: S3Error) -> Result<Response<Body>, HttpError> {
    error
        .to_http_response()
        .map_err(|error| HttpError::new(Box::new(error)))
}
