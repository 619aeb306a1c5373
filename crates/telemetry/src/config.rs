use opentelemetry_otlp::ExporterBuildError;
use tracing_subscriber::filter::ParseError;

/// Where telemetry goes.
#[derive(Debug, Clone, PartialEq)]
pub struct TelemetryConfig {
    /// The program's name, as collectors show it.
    pub service: String,
    /// The program's version.
    pub version: String,
    /// What is logged and traced, as in `info,rapidphoto_http=debug`. Noisy libraries are quiet unless they are named.
    pub filter: String,
    /// How log lines look.
    pub format: LogFormat,
    /// Where spans go, if anywhere.
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

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    #[default]
    Human,
    /// One JSON object a line, for machines.
    Json,
}

/// Where spans go.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceConfig {
    /// The collector's address for OTLP over HTTP, such as `http://127.0.0.1:4318`; spans go to `/v1/traces` below it.
    /// It has to be near: nothing is encrypted.
    pub endpoint: String,
    /// The share of traces that are kept, from 0 to 1, where the caller has not decided.
    pub sample_ratio: f64,
}

impl TraceConfig {
    /// Every trace to this collector.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            sample_ratio: 1.0,
        }
    }
}

/// Why there is no telemetry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The filter can't be read.
    #[error("the log filter can't be read")]
    Filter(#[source] ParseError),
    /// The collector's address can't be used.
    #[error("{0:?} is no address of a collector such as http://127.0.0.1:4318")]
    Endpoint(String),
    /// The share is none.
    #[error("the share of traces to keep is between 0 and 1")]
    SampleRatio,
    /// The exporter can't be built.
    #[error("spans can't be exported")]
    Exporter(#[source] ExporterBuildError),
    /// A thread can't be started.
    #[error("no thread for keeping metrics")]
    Thread(#[source] std::io::Error),
    /// Somebody else was first.
    #[error("the process's {0} go elsewhere already")]
    Taken(&'static str),
    /// The histograms can't be set up.
    #[error("metrics can't be kept")]
    Metrics(#[source] metrics_exporter_prometheus::BuildError),
}
