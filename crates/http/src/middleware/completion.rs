use std::{any::Any, time::Duration};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
};
use tokio::time::error::Elapsed;

use crate::problem::{
    PROBLEM_JSON, Problem,
    kinds::{self, Kind},
};

/// Result of a request inside the middleware.
pub(super) enum Completion {
    /// A response of a handler, or to a preflight request.
    Response(HttpRequest, HttpResponse),
    /// An error. The request is lost if its handler did not complete.
    Problem(Option<HttpRequest>, Problem),
}

type HandlerOutput<B> = Result<Result<Result<ServiceResponse<B>, Error>, Box<dyn Any + Send>>, Elapsed>;

impl Completion {
    pub(super) fn of_preflight(request: ServiceRequest, result: Result<HttpResponse, Problem>) -> Self {
        let request = request.into_parts().0;
        match result {
            Ok(response) => Self::Response(request, response),
            Err(problem) => Self::Problem(Some(request), problem),
        }
    }

    /// Result of a handler that may have failed, panicked or exceeded its time.
    pub(super) fn of_handler<B: MessageBody + 'static>(output: HandlerOutput<B>) -> Self {
        match output {
            Ok(Ok(Ok(served))) => {
                let (request, response) = served.map_into_boxed_body().into_parts();
                Self::Response(request, response)
            }
            Ok(Ok(Err(error))) => {
                let kind = kind_for(error.as_response_error().status_code());
                Self::Problem(None, Problem::new(kind).source(error.to_string()))
            }
            Ok(Err(panic)) => Self::Problem(None, Problem::internal(panic_message(panic.as_ref()))),
            Err(elapsed) => Self::Problem(
                None,
                Problem::new(kinds::REQUEST_TIMEOUT)
                    .source(elapsed)
                    .retry_after(Duration::from_secs(1)),
            ),
        }
    }

    /// Response to the client: every error becomes a problem with the request's id.
    pub(super) fn into_response(self, request_id: &str) -> (Option<HttpRequest>, HttpResponse<BoxBody>) {
        match self {
            Self::Response(request, response) => {
                let response = problem_response(&response, request_id).unwrap_or(response);
                (Some(request), response)
            }
            Self::Problem(request, problem) => (request, log_and_respond(&problem, request_id)),
        }
    }
}

/// Problem that replaces an error response, unless the response has a body for clients.
fn problem_response(response: &HttpResponse, request_id: &str) -> Option<HttpResponse> {
    if let Some(problem) = response.error().and_then(Error::as_error::<Problem>) {
        return Some(log_and_respond(problem, request_id));
    }
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let has_json = content_type.is_some_and(|kind| kind == PROBLEM_JSON || kind == "application/json");
    if has_json || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let mut problem = Problem::new(kind_for(status));
    if let Some(error) = response.error() {
        problem = problem.source(error.to_string());
    }
    Some(log_and_respond(&problem, request_id))
}

fn log_and_respond(problem: &Problem, request_id: &str) -> HttpResponse {
    if let Some(cause) = problem.cause()
        && problem.kind().status >= 500
    {
        // The only place that logs causes, so that each is logged once with all of its sources.
        let chain = error_chain(cause.as_ref());
        tracing::error!(code = problem.kind().code, cause = %chain, "request failed");
    }
    problem.response(request_id)
}

/// An error and its sources, the outermost first.
fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// Kind of an error response of actix-web.
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

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a handler panicked: {}", text.unwrap_or("no message"))
}
