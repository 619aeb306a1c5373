//! Traces that go on in other processes: their W3C trace context is in the metadata of events.

use std::collections::HashMap;

use opentelemetry::global;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::ports::EventMetadata;

const TRACEPARENT: &str = "traceparent";

/// Makes a new span a child of a remote one, unless that is `None`, and records the trace's id in the span's field
/// `traceId`. To be called before the span is entered.
pub fn follow(span: &Span, traceparent: Option<&str>) {
    if let Some(traceparent) = traceparent {
        let headers = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
        let parent = global::get_text_map_propagator(|propagator| propagator.extract(&headers));
        // Fails in a process without telemetry, and if the log's filter drops the span.
        let _ = span.set_parent(parent);
    }
    // version-trace-span-flags
    if let Some(trace) = traceparent_of(span)
        .as_deref()
        .and_then(|text| text.split('-').nth(1))
    {
        span.record("traceId", trace);
    }
}

/// Trace context of the current span; `None` if there is none, or in a process without telemetry.
pub fn current() -> Option<String> {
    traceparent_of(&Span::current())
}

/// Metadata of events that the system causes in the current span.
pub(crate) fn metadata() -> EventMetadata {
    EventMetadata {
        traceparent: current(),
        ..EventMetadata::default()
    }
}

fn traceparent_of(span: &Span) -> Option<String> {
    let mut headers = HashMap::new();
    let context = span.context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut headers));
    headers.remove(TRACEPARENT)
}
