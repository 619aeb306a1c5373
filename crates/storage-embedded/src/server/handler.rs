use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use hyper::body::Incoming;
use rapidphoto_application::ports::Ids;
use rapidphoto_listener::Activity;
use s3s::service::S3Service;
use s3s::{Body, HttpError, S3Error, S3Result, s3_error};
use tokio_util::task::TaskTracker;

use super::body::{self, BodyMonitor, BodyPace, MonitoredBody};
use super::cors::Cors;
use super::diagnosis;
use super::errors::error_response;
use super::outcome::{self, ErrorDocument};
use crate::config::EmbeddedConfig;
use crate::signature::SignedHeaders;

/// Maximum number of bytes read of the body of a rejected request; more than a photo has. Clients may read the
/// response only after they have sent the whole body, and report a closed connection as a network error.
const MAX_DRAINED_BYTES: u64 = 64 * 1024 * 1024;

/// Handles HTTP requests: CORS, the S3 service, and the headers of every response.
pub(crate) struct Handler {
    s3: S3Service,
    cors: Cors,
    ids: Arc<dyn Ids>,
    pace: BodyPace,
    idle_timeout: Duration,
    max_drained_bytes: u64,
    hosts: Vec<String>,
    tasks: TaskTracker,
}

impl Handler {
    pub(crate) fn new(config: &EmbeddedConfig, s3: S3Service, ids: Arc<dyn Ids>, tasks: TaskTracker) -> Self {
        outcome::register_counters();
        Self {
            s3,
            cors: Cors::new(&config.allowed_origins),
            ids,
            pace: BodyPace {
                idle_timeout: config.idle_timeout,
                min_bytes_per_second: config.min_upload_bytes_per_second,
            },
            idle_timeout: config.idle_timeout,
            max_drained_bytes: MAX_DRAINED_BYTES.min(config.max_object_bytes),
            hosts: config.hosts.clone(),
            tasks,
        }
    }

    pub(crate) async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, HttpError> {
        let request_id = format!("{:032X}", self.ids.ulid());
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let origin = request.headers().get(header::ORIGIN).cloned();

        let mut response = if method == Method::OPTIONS {
            self.cors.preflight(request.headers())?
        } else {
            match admit(&request) {
                Ok(signed) => self.call_s3(request, signed).await?,
                Err(error) => {
                    self.discard_body(request);
                    error_response(error)?
                }
            }
        };

        let error = ErrorDocument::of(&mut response).await;
        outcome::record(&method, &uri, &request_id, response.status(), error.as_ref());
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
        Ok(response)
    }

    /// Reads on for a moment concurrently with the response, or the client might see a closed connection instead of it.
    fn discard_body(&self, request: Request<Incoming>) {
        if !request.headers().contains_key(header::EXPECT) {
            let activity = request.extensions().get::<Activity>().cloned();
            self.spawn_drain(request.into_body(), body::SHORT_DRAIN_TIMEOUT, activity.as_ref());
        }
    }

    /// Reads and discards the rest of a body, during which its request is in progress.
    fn spawn_drain(&self, unread: Incoming, max_time: Duration, activity: Option<&Activity>) {
        let in_progress = activity.map(Activity::request);
        let draining = body::drain(unread, self.max_drained_bytes, self.idle_timeout, max_time);
        self.tasks.spawn(async move {
            draining.await;
            drop(in_progress);
        });
    }

    async fn call_s3(
        &self,
        request: Request<Incoming>,
        signed: SignedHeaders,
    ) -> Result<Response<Body>, HttpError> {
        let monitor = BodyMonitor::default();
        let activity = request.extensions().get::<Activity>().cloned();
        let expects_continue = request.headers().contains_key(header::EXPECT);
        let mut request =
            request.map(|body| Body::http_body(MonitoredBody::new(body, self.pace, monitor.clone())));
        let headers = request.headers_mut();
        if !signed.covers(header::CACHE_CONTROL.as_str()) {
            // Browsers add it to requests that must not use their cache; unsigned, it is not stored with the object.
            headers.remove(header::CACHE_CONTROL);
        }
        let headers = headers.clone();
        request.extensions_mut().insert(monitor.clone());
        request.extensions_mut().insert(signed.clone());

        let response = self.s3.call(request).await;
        if let Some(unread) = monitor.take_unread(expects_continue) {
            // Concurrently with the response, which the client may read while it sends.
            self.spawn_drain(unread, monitor.drain_timeout(), activity.as_ref());
        }
        self.explain(response?, &signed, &headers, &monitor).await
    }

    /// Replaces errors that say nothing about the cause: of a signature that does not match, and of a body that `s3s` could not
    /// read.
    async fn explain(
        &self,
        mut response: Response<Body>,
        signed: &SignedHeaders,
        headers: &HeaderMap,
        monitor: &BodyMonitor,
    ) -> Result<Response<Body>, HttpError> {
        match ErrorDocument::of(&mut response).await {
            Some(document) if document.code == "InternalError" => match monitor.error() {
                Some(error) => error_response(error.into()),
                None => Ok(response),
            },
            Some(document) if document.code == "SignatureDoesNotMatch" => {
                let mut error = S3Error::new(s3s::S3ErrorCode::SignatureDoesNotMatch);
                error.set_message(diagnosis::signature_mismatch(signed, headers, &self.hosts));
                error_response(error)
            }
            _ => Ok(response),
        }
    }
}

/// Decides by the head alone if `s3s` may see a request: it reads the whole body of a form before it authenticates the
/// request, and keeps it in memory.
fn admit<B>(request: &Request<B>) -> S3Result<SignedHeaders> {
    let admitted = match *request.method() {
        Method::GET | Method::HEAD | Method::PUT | Method::DELETE => true,
        Method::POST => !may_be_form(request.headers()) && posts_document(request.uri()),
        _ => false,
    };
    if !admitted {
        return Err(s3_error!(
            NotImplemented,
            "Only GET, HEAD, PUT, DELETE, multipart uploads and the deletion of several objects are implemented; forms and \
             other uses of {} are not",
            request.method()
        ));
    }
    SignedHeaders::of(request.uri(), request.headers())?
        .ok_or_else(|| s3_error!(AccessDenied, "Signature is required"))
}

/// Returns true unless the content type is clearly another one than that of a form.
fn may_be_form(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_TYPE).iter().any(|value| {
        value
            .to_str()
            .map_or(true, |value| value.to_ascii_lowercase().contains("form-data"))
    })
}

/// Returns true for the operations that are implemented and use POST.
fn posts_document(uri: &Uri) -> bool {
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut names = query.map(|(name, _)| name);
    names.any(|name| matches!(&*name, "uploads" | "uploadId" | "delete"))
}
