//! Logs, traces and metrics: where they go, and how they end.
//!
//! The other crates speak to the facades (`tracing`, `metrics`) and know nothing of this one. Logs go to stderr as text
//! or JSON, spans to an OpenTelemetry collector where one is named, metrics are kept for whoever asks for them.
//! Secrets that got into a log line all the same are struck out (see `redaction`).
//!
//! Log lines and spans carry the time of the system's clock: they tell of the process, and nothing is decided by them.

mod config;
mod logs;
mod metrics;
mod redaction;
mod traces;

use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkError;
use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};

pub use config::{LogFormat, TelemetryConfig, TelemetryError, TraceConfig};
pub use metrics::{METRICS, Metric, MetricKind, Metrics};

/// Whether a filter can be used.
///
/// # Errors
/// [`TelemetryError`] says why not.
pub fn check_filter(filter: &str) -> Result<(), TelemetryError> {
    logs::filter(filter).map(drop)
}

/// The process's telemetry while it runs.
#[derive(Debug)]
pub struct Telemetry {
    metrics: Metrics,
    upkeep: metrics::Upkeep,
    traces: Option<traces::Traces>,
}

impl Telemetry {
    /// Takes over the process's logs, spans and metrics. This can be done once in a process.
    ///
    /// # Errors
    /// [`TelemetryError`] says what in the configuration can't be used, or that somebody else was first.
    pub fn start(config: &TelemetryConfig) -> Result<Self, TelemetryError> {
        let filter = logs::filter(&config.filter)?;
        let traces = config
            .traces
            .as_ref()
            .map(|wanted| traces::Traces::start(config, wanted))
            .transpose()?;
        let log = logs::layer(config.format, logs::to_a_terminal(), std::io::stderr);
        tracing_subscriber::registry()
            .with(filter)
            .with(log)
            .with(traces.as_ref().map(traces::Traces::layer))
            .try_init()
            .map_err(|_| TelemetryError::Taken("logs"))?;
        let (metrics, upkeep) = metrics::install()?;
        Ok(Self {
            metrics,
            upkeep,
            traces,
        })
    }

    /// The process's metrics.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Sends what is still to be sent, for at most so long. This blocks: on a thread of an asynchronous runtime it
    /// belongs into `spawn_blocking`.
    ///
    /// # Errors
    /// [`FlushError`] where spans were left behind.
    pub fn shutdown(self, within: Duration) -> Result<(), FlushError> {
        self.upkeep.stop();
        match self.traces {
            Some(traces) => traces.shutdown(within).map_err(FlushError),
            None => Ok(()),
        }
    }
}

/// Spans were left behind.
#[derive(Debug, thiserror::Error)]
#[error("the last spans did not reach the collector")]
pub struct FlushError(#[source] OTelSdkError);
