use opentelemetry_otlp::ExporterBuildError;
use tracing_subscriber::filter::ParseError;

/// Configuration of logs and traces.
#[derive(Debug, Clone, PartialEq)]
pub struct TelemetryConfig {
    /// Name of the program; `service.name` of spans.
    pub service: String,
    /// Version of the program; `service.version` of spans.
    pub version: String,
    /// Filter of log lines and spans, such as `info,rapidphoto_http=debug`. Some libraries log only warnings unless the
    /// filter names them.
    pub filter: String,
    /// Format of log lines.
    pub format: LogFormat,
    /// Export of spans; none by default.
    pub traces: Option<TraceConfig>,
}

impl TelemetryConfig {
    /// Human-readable logs from `info` up, and no traces.
    pub fn new(service: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            version: version.into(),
            filter: "info".to_owned(),
            format: LogFormat::Human,
            traces: None,
        }
    }
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Human-readable lines, coloured on a terminal.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// Export of spans.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceConfig {
    /// Base URL of the collector for OTLP over HTTP, such as `http://127.0.0.1:4318`; spans are sent to its `/v1/traces`.
    /// Only `http` is supported, so it must be on a trusted network.
    pub endpoint: String,
    /// Fraction of traces to sample, from 0 to 1; the decision of a remote parent span has precedence.
    pub sample_ratio: f64,
}

impl TraceConfig {
    /// Exports all traces to a collector.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            sample_ratio: 1.0,
        }
    }
}

/// Failure to start telemetry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The filter of the running process can't be replaced.
    #[error("the log filter can't be replaced")]
    Reload(#[source] tracing_subscriber::reload::Error),
    /// The filter is invalid.
    #[error("the log filter is invalid")]
    Filter(#[source] ParseError),
    /// The collector's URL is invalid.
    #[error("{0:?} is not the URL of a collector, such as http://127.0.0.1:4318")]
    Endpoint(String),
    /// The sample ratio is out of range.
    #[error("the sample ratio of traces must be between 0 and 1")]
    SampleRatio,
    /// The exporter can't be created.
    #[error("the exporter of spans can't be created")]
    Exporter(#[source] ExporterBuildError),
    /// The metrics thread can't be started.
    #[error("the metrics thread can't be started")]
    Thread(#[source] std::io::Error),
    /// A global subscriber or recorder is already installed.
    #[error("a global handler for {0} is already installed in this process")]
    Taken(&'static str),
    /// The metrics recorder can't be created.
    #[error("the metrics recorder can't be created")]
    Metrics(#[source] metrics_exporter_prometheus::BuildError),
}
