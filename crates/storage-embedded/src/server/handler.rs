use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use rapidphoto_application::ports::Ids;
use rapidphoto_listener::Activity;
use s3s::service::S3Service;
use s3s::{Body, HttpError, s3_error};
use tokio_util::task::TaskTracker;

use super::body::{self, BodyMonitor, MonitoredBody};
use super::cors::Cors;
use super::errors::error_response;
use crate::config::EmbeddedConfig;

/// Maximum number of bytes read of the body of a rejected request; more than a photo has. Clients may read the
/// response only after they have sent the whole body, and report a closed connection as a network error.
const MAX_DRAINED_BYTES: u64 = 64 * 1024 * 1024;

/// Handles HTTP requests: CORS, the S3 service, and the headers of every response.
pub(crate) struct Handler {
    s3: S3Service,
    cors: Cors,
    ids: Arc<dyn Ids>,
    idle_timeout: Duration,
    max_drained_bytes: u64,
    tasks: TaskTracker,
}

impl Handler {
    pub(crate) fn new(config: &EmbeddedConfig, s3: S3Service, ids: Arc<dyn Ids>, tasks: TaskTracker) -> Self {
        Self {
            s3,
            cors: Cors::new(&config.allowed_origins),
            ids,
            idle_timeout: config.idle_timeout,
            max_drained_bytes: MAX_DRAINED_BYTES.min(config.max_object_bytes),
            tasks,
        }
    }

    pub(crate) async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, HttpError> {
        let request_id = format!("{:032X}", self.ids.ulid());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let origin = request.headers().get(header::ORIGIN).cloned();

        let mut response = if method == Method::OPTIONS {
            self.cors.preflight(request.headers())?
        } else if is_form(request.headers()) {
            // `s3s` would read the whole form before it authenticates the request.
            error_response(s3_error!(NotImplemented, "Uploads by form are not implemented"))?
        } else {
            self.call_s3(request).await?
        };

        let headers = response.headers_mut();
        if let Some(origin) = origin {
            self.cors.add_headers(&origin, headers);
        }
        // Uploaded files must never run as pages or scripts in this origin.
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
        // The query is not logged because it contains the signature.
        tracing::debug!(%method, path, status = response.status().as_u16(), request_id, "handled a request");
        Ok(response)
    }

    async fn call_s3(&self, request: Request<Incoming>) -> Result<Response<Body>, HttpError> {
        let monitor = BodyMonitor::default();
        let activity = request.extensions().get::<Activity>().cloned();
        let expects_continue = request.headers().contains_key(header::EXPECT);
        let mut request =
            request.map(|body| Body::http_body(MonitoredBody::new(body, self.idle_timeout, monitor.clone())));
        request.extensions_mut().insert(monitor.clone());

        let response = self.s3.call(request).await;
        if let Some(unread) = monitor.take_unread(expects_continue) {
            // Concurrently with the response, which the client may read while it sends.
            let in_progress = activity.as_ref().map(Activity::request);
            let draining = body::drain(unread, self.max_drained_bytes, self.idle_timeout);
            self.tasks.spawn(async move {
                draining.await;
                drop(in_progress);
            });
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
