//! What every request passes on its way in and out: its name, its time limit, and that whatever happens inside ends as
//! an answer with the same headers, one line in the log and one measurement.

mod access;
mod cors;
mod headers;
mod outcome;

use std::{panic::AssertUnwindSafe, rc::Rc};

use actix_web::{
    Error, HttpMessage,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    middleware::Next,
    web,
};
use futures::FutureExt;
use tracing::Instrument;

use crate::{call::Context, server::Shared};
use outcome::Outcome;

/// The outermost layer of the API.
pub(crate) async fn edge(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(shared) = request.app_data::<web::Data<Shared>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let context = Rc::new(Context::of(&request, &shared));
    let route = request.match_pattern();
    let span = tracing::info_span!(
        "http_request",
        request_id = %context.request_id,
        method = %context.method,
        route = route.as_deref(),
        traceparent = context.traceparent.as_deref(),
    );
    let origin = cors::Origin::of(request.headers(), &shared.app.config.allowed_origins);
    let outcome = if cors::is_preflight(&request) {
        Outcome::answered(request, cors::answer_preflight(&origin))
    } else {
        request.extensions_mut().insert(Rc::clone(&context));
        // No clone of the request may be held here: the router needs it for itself.
        let handling = AssertUnwindSafe(next.call(request)).catch_unwind();
        let limited = tokio::time::timeout(shared.app.config.request_timeout, handling);
        Outcome::of(limited.instrument(span.clone()).await)
    };
    let _inside = span.entered();
    let (request, mut response) = outcome.present(&context.request_id);
    headers::finish(response.headers_mut(), &context, &origin);
    access::note(&context, route.as_deref(), response.status());
    match request {
        Some(request) => Ok(ServiceResponse::new(request, response)),
        None => {
            Err(InternalError::from_response("the request ended before its handler did", response).into())
        }
    }
}
