//! Logs, traces and metrics of the process.
//!
//! The other crates use the facades `tracing` and `metrics` and do not depend on this crate. Logs go to stderr as text or
//! JSON, spans to an OpenTelemetry collector if one is configured; metrics are kept in memory and rendered on request.
//! Secrets in log lines are redacted (see `redaction`).
//!
//! Log lines and spans use the system clock instead of the port `Clock`, because no decision depends on their times.

mod config;
mod json_lines;
mod logs;
mod metrics;
mod redaction;
mod traces;

use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkError;
use tracing_subscriber::{
    EnvFilter, Registry, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

pub use config::{LogFormat, TelemetryConfig, TelemetryError, TraceConfig};
pub use metrics::{METRICS, Metric, MetricKind, Metrics, PREFIX};

/// Checks the syntax of a log filter.
///
/// # Errors
/// [`TelemetryError::Filter`] for an invalid filter.
pub fn check_filter(filter: &str) -> Result<(), TelemetryError> {
    logs::filter(filter).map(drop)
}

/// Telemetry of the running process.
#[derive(Debug)]
pub struct Telemetry {
    filter: reload::Handle<EnvFilter, Registry>,
    metrics: Metrics,
    upkeep: metrics::Upkeep,
    traces: traces::Traces,
}

impl Telemetry {
    /// Installs the global subscriber and the global metrics recorder; possible once per process.
    ///
    /// # Errors
    /// [`TelemetryError`] for an invalid configuration, or if a subscriber or recorder is already installed.
    pub fn start(config: &TelemetryConfig) -> Result<Self, TelemetryError> {
        let (filter, handle) = reload::Layer::new(logs::filter(&config.filter)?);
        let traces = traces::Traces::start(config)?;
        let log = logs::layer(config.format, logs::stderr_is_terminal(), std::io::stderr);
        tracing_subscriber::registry()
            .with(filter)
            .with(log)
            .with(traces.layer())
            .try_init()
            .map_err(|_| TelemetryError::Taken("logs"))?;
        let (metrics, upkeep) = metrics::install(&config.version)?;
        Ok(Self {
            filter: handle,
            metrics,
            upkeep,
            traces,
        })
    }

    /// Replaces the filter of logs and traces.
    ///
    /// # Errors
    /// [`TelemetryError::Filter`] for an invalid filter; the current one stays.
    pub fn set_filter(&self, filter: &str) -> Result<(), TelemetryError> {
        self.filter
            .reload(logs::filter(filter)?)
            .map_err(TelemetryError::Reload)
    }

    /// Metrics of the process.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Sends the remaining spans, waiting at most `timeout`. Blocks: call it through `spawn_blocking` in an asynchronous
    /// runtime.
    ///
    /// # Errors
    /// [`FlushError`] if spans were not sent.
    pub fn shutdown(self, timeout: Duration) -> Result<(), FlushError> {
        self.upkeep.stop();
        self.traces.shutdown(timeout).map_err(FlushError)
    }
}

/// Spans were not sent.
#[derive(Debug, thiserror::Error)]
#[error("the last spans did not reach the collector")]
pub struct FlushError(#[source] OTelSdkError);
