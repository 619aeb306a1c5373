use std::time::Duration;

use opentelemetry::{KeyValue, global, trace::TracerProvider as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

use crate::config::{TelemetryConfig, TelemetryError, TraceConfig};

/// How long one batch may take. It runs on a thread of its own; this bounds what a dead collector holds up at the end.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Spans on their way to a collector, in batches.
#[derive(Debug)]
pub(crate) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    pub(crate) fn start(config: &TelemetryConfig, wanted: &TraceConfig) -> Result<Self, TelemetryError> {
        if !(0.0..=1.0).contains(&wanted.sample_ratio) {
            return Err(TelemetryError::SampleRatio);
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(traces_url(&wanted.endpoint)?)
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .map_err(TelemetryError::Exporter)?;
        let resource = Resource::builder()
            .with_service_name(config.service.clone())
            .with_attribute(KeyValue::new("service.version", config.version.clone()))
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(wanted.sample_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(resource)
            .build();
        // Callers' and callees' spans meet by `traceparent` (W3C Trace Context).
        global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(Self { provider })
    }

    /// Makes the process's spans ones of these.
    pub(crate) fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("rapidphoto"))
    }

    pub(crate) fn shutdown(self, within: Duration) -> OTelSdkResult {
        self.provider.shutdown_with_timeout(within)
    }
}

/// Where below the collector's address spans go (OTLP specification, "Endpoint URLs for OTLP/HTTP").
fn traces_url(endpoint: &str) -> Result<String, TelemetryError> {
    let host = endpoint.strip_prefix("http://").unwrap_or_default();
    // An address with a password in it would end up in logs.
    if host.is_empty() || host.starts_with(['/', ':']) || host.contains(['@', '?', '#', ' ']) {
        let shown = endpoint.rsplit('@').next().unwrap_or_default();
        return Err(TelemetryError::Endpoint(shown.to_owned()));
    }
    Ok(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_go_below_the_collectors_address() {
        for endpoint in ["http://127.0.0.1:4318", "http://127.0.0.1:4318/"] {
            assert_eq!(traces_url(endpoint).unwrap(), "http://127.0.0.1:4318/v1/traces");
        }
        assert_eq!(traces_url("http://otel/in").unwrap(), "http://otel/in/v1/traces");
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for endpoint in [
            "",
            "127.0.0.1:4318",
            "http://",
            "http:///v1",
            "https://otel:4318",
            "http://me:hush@otel",
        ] {
            let error = traces_url(endpoint).unwrap_err();
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_share_is_between_none_and_all() {
        for sample_ratio in [-0.1, 1.1, f64::NAN] {
            let wanted = TraceConfig {
                sample_ratio,
                ..TraceConfig::new("http://127.0.0.1:4318")
            };
            let started = Traces::start(&TelemetryConfig::new("test", "0"), &wanted);
            assert!(matches!(started, Err(TelemetryError::SampleRatio)));
        }
    }
}
