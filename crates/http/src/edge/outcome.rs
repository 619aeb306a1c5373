use std::any::Any;

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
};
use tokio::time::error::Elapsed;

use crate::refusal::{
    PROBLEM_JSON, Refusal,
    kinds::{self, Kind},
};

/// What came of a request.
pub(super) enum Outcome {
    /// A handler, or the edge, answered.
    Answered(HttpRequest, HttpResponse),
    /// Something refused it before a handler answered.
    Refused(Option<HttpRequest>, Refusal),
}

type Handled<B> = Result<Result<Result<ServiceResponse<B>, Error>, Box<dyn Any + Send>>, Elapsed>;

impl Outcome {
    /// What the edge itself answered.
    pub(super) fn answered(request: ServiceRequest, answer: Result<HttpResponse, Refusal>) -> Self {
        let request = request.into_parts().0;
        match answer {
            Ok(response) => Self::Answered(request, response),
            Err(refusal) => Self::Refused(Some(request), refusal),
        }
    }

    /// What a handler came to, within its time and without a panic or not.
    pub(super) fn of<B: MessageBody + 'static>(handled: Handled<B>) -> Self {
        match handled {
            Ok(Ok(Ok(served))) => {
                let (request, response) = served.map_into_boxed_body().into_parts();
                Self::Answered(request, response)
            }
            Ok(Ok(Err(error))) => {
                let kind = kind_for(error.as_response_error().status_code());
                Self::Refused(None, Refusal::new(kind).because(error.to_string()))
            }
            Ok(Err(panic)) => Self::Refused(None, Refusal::internal(said(panic.as_ref()))),
            Err(elapsed) => Self::Refused(
                None,
                Refusal::new(kinds::REQUEST_TIMEOUT)
                    .because(elapsed)
                    .retry_after(std::time::Duration::from_secs(1)),
            ),
        }
    }

    /// The answer as the client gets it: every refusal is a problem that names the request.
    pub(super) fn present(self, request_id: &str) -> (Option<HttpRequest>, HttpResponse<BoxBody>) {
        match self {
            Self::Answered(request, response) => {
                let response = as_problem(&response, request_id).unwrap_or(response);
                (Some(request), response)
            }
            Self::Refused(request, refusal) => (request, respond(&refusal, request_id)),
        }
    }
}

/// The problem that an unsuccessful response stands for, if it is not one already.
fn as_problem(response: &HttpResponse, request_id: &str) -> Option<HttpResponse> {
    if let Some(refusal) = response.error().and_then(Error::as_error::<Refusal>) {
        return Some(respond(refusal, request_id));
    }
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let presentable = content_type.is_some_and(|kind| kind == PROBLEM_JSON || kind == "application/json");
    if presentable || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let mut refusal = Refusal::new(kind_for(status));
    if let Some(error) = response.error() {
        refusal = refusal.because(error.to_string());
    }
    Some(respond(&refusal, request_id))
}

fn respond(refusal: &Refusal, request_id: &str) -> HttpResponse {
    let status = refusal.kind().status;
    if let Some(cause) = refusal.cause()
        && status >= 500
    {
        // Here and nowhere else: a cause is logged once, with everything that led to it.
        let chain = chain(cause.as_ref());
        tracing::error!(code = refusal.kind().code, cause = %chain, "request failed");
    }
    refusal.respond(request_id)
}

/// An error and its sources, the outermost first.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// The kind of a refusal that did not come from this crate.
fn kind_for(status: StatusCode) -> &'static Kind {
    match status.as_u16() {
        404 => kinds::NO_SUCH_ROUTE,
        405 => kinds::METHOD_NOT_ALLOWED,
        413 => kinds::BODY_TOO_LARGE,
        415 => kinds::UNSUPPORTED_MEDIA_TYPE,
        400..=499 => kinds::BAD_REQUEST,
        _ => kinds::INTERNAL,
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a handler panicked: {}", text.unwrap_or("without a word"))
}
