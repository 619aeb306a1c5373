//! Middleware around all routes. It sets a time limit and turns every result (a response, an error, a panic, a
//! time-out) into a response with the same headers, one log line and one measurement.

mod access;
mod body;
mod completion;
mod cors;
mod headers;

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
use rapidphoto_application::trace;
use rapidphoto_listener::Activity;
use tracing::Instrument;

use crate::{call::Context, origin::Origin, shared::Shared};
use completion::Completion;

/// Processes one request.
pub(crate) async fn process(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(shared) = request.app_data::<web::Data<Shared>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    // Ends when the body of the response is written.
    let in_progress = request.conn_data::<Activity>().map(Activity::request);
    let context = Rc::new(Context::new(&request, &shared));
    let route = request.match_pattern();
    let span = tracing::info_span!(
        "http_request",
        request_id = %context.request_id,
        method = %context.method,
        route = route.as_deref(),
        traceId = tracing::field::Empty,
    );
    trace::follow(&span, context.traceparent.as_deref());
    let origin = Origin::of(request.headers(), &shared.app.config.allowed_origins);
    let completion = if cors::is_preflight(&request) {
        Completion::of_preflight(request, cors::preflight_response(&origin))
    } else {
        request.extensions_mut().insert(Rc::clone(&context));
        // The router needs exclusive access to the request, so that no clone may exist here.
        let handling = AssertUnwindSafe(next.call(request)).catch_unwind();
        let limited = tokio::time::timeout(shared.app.config.request_timeout, handling);
        Completion::of_handler(limited.instrument(span.clone()).await)
    };
    let _entered = span.entered();
    let (request, mut response) = completion.into_response(&context.request_id);
    headers::add_common(response.headers_mut(), &context, &origin, shared.app.config.https);
    access::record(&context, route.as_deref(), response.status());
    let response = response.map_body(|_, body| body::ResponseBody::new(body, in_progress).boxed());
    match request {
        Some(request) => Ok(ServiceResponse::new(request, response)),
        None => Err(InternalError::from_response("the handler did not complete", response).into()),
    }
}
