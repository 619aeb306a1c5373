use actix_web::http::{Method, StatusCode};
use metrics::{counter, histogram};

use crate::call::Context;

/// Writes the access log and the request metrics. The duration of a stream is the time until it starts.
pub(super) fn record(context: &Context, route: Option<&str>, status: StatusCode) {
    let took = context.started.elapsed();
    tracing::info!(
        target: "rapidphoto_http::access",
        path = %logged(&context.path),
        status = status.as_u16(),
        took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        userId = context.user().map(tracing::field::display),
        address = context.address.map(tracing::field::display),
        "request"
    );
    // Path templates and known methods only: client input must not create label values.
    let labels = [
        ("method", method_label(&context.method).to_owned()),
        ("route", route.unwrap_or("unknown").to_owned()),
        ("status", format!("{}xx", status.as_u16() / 100)),
    ];
    counter!("http_requests_total", &labels).increment(1);
    histogram!("http_request_duration_seconds", &labels).record(took.as_secs_f64());
}

/// Maximum length of a path in the log, in characters. The longest route has fewer.
const MAX_LOGGED_PATH: usize = 200;

/// Beginning of a path: a stranger's may be as long as the head of a request.
fn logged(path: &str) -> &str {
    let end = path.char_indices().nth(MAX_LOGGED_PATH);
    end.map_or(path, |(end, _)| path.split_at(end).0)
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
