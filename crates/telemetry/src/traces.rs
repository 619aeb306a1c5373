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

/// Time limit for exporting one batch. Exports run on their own thread; the limit matters at shutdown, if the collector
/// does not respond.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Ids of traces, and the export of spans in batches. Without a collector spans have ids for the log and for other processes,
/// and nothing is recorded.
#[derive(Debug)]
pub(crate) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    pub(crate) fn start(config: &TelemetryConfig) -> Result<Self, TelemetryError> {
        let provider = match &config.traces {
            Some(settings) => exporting(config, settings)?,
            None => SdkTracerProvider::builder()
                .with_sampler(Sampler::AlwaysOff)
                .build(),
        };
        // Joins spans across processes through the header `traceparent` (W3C Trace Context).
        global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(Self { provider })
    }

    /// Layer that gives the spans of its subscriber ids, and exports them.
    pub(crate) fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("rapidphoto"))
    }

    pub(crate) fn shutdown(self, timeout: Duration) -> OTelSdkResult {
        self.provider.shutdown_with_timeout(timeout)
    }
}

fn exporting(config: &TelemetryConfig, settings: &TraceConfig) -> Result<SdkTracerProvider, TelemetryError> {
    if !(0.0..=1.0).contains(&settings.sample_ratio) {
        return Err(TelemetryError::SampleRatio);
    }
    // The exporter's HTTP client needs it, also without TLS. Fails if the program has installed one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(traces_url(&settings.endpoint)?)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(TelemetryError::Exporter)?;
    let resource = Resource::builder()
        .with_service_name(config.service.clone())
        .with_attribute(KeyValue::new("service.version", config.version.clone()))
        .build();
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio)));
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler)
        .with_resource(resource)
        .build())
}

/// URL for spans below the collector's base URL (OTLP specification, "Endpoint URLs for OTLP/HTTP").
fn traces_url(endpoint: &str) -> Result<String, TelemetryError> {
    let host = endpoint.strip_prefix("http://").unwrap_or_default();
    // URLs with credentials are rejected, and the error omits them, because they would appear in logs.
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
    fn spans_are_sent_to_v1_traces_below_the_base_url() {
        for endpoint in ["http://127.0.0.1:4318", "http://127.0.0.1:4318/"] {
            assert_eq!(traces_url(endpoint).unwrap(), "http://127.0.0.1:4318/v1/traces");
        }
        assert_eq!(traces_url("http://otel/in").unwrap(), "http://otel/in/v1/traces");
    }

    #[test]
    fn other_schemes_credentials_and_missing_hosts_are_errors() {
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
    fn sample_ratios_outside_0_to_1_are_errors() {
        for sample_ratio in [-0.1, 1.1, f64::NAN] {
            let settings = TraceConfig {
                sample_ratio,
                ..TraceConfig::new("http://127.0.0.1:4318")
            };
            let config = TelemetryConfig {
                traces: Some(settings),
                ..TelemetryConfig::new("test", "0")
            };
            let started = Traces::start(&config);
            assert!(matches!(started, Err(TelemetryError::SampleRatio)));
        }
    }
}
