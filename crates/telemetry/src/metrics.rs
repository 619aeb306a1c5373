//! Recording and rendering of metrics.

mod catalogue;
mod process;

use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use metrics_util::layers::{Layer as _, Prefix, PrefixLayer};

use crate::config::TelemetryError;

pub use catalogue::{METRICS, Metric, MetricKind, PREFIX};

/// The metrics of this process.
#[derive(Debug, Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Media type of the text from [`Self::render`].
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Renders all metrics in Prometheus's text format, those of the process (`process_…`) included.
    pub fn render(&self) -> String {
        let mut text = self.0.render();
        process::render(&mut text);
        text
    }
}

/// Interval at which recorded samples are moved into the histograms.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Installs the global recorder and starts its upkeep. `version` is the program's.
pub(crate) fn install(version: &str) -> Result<(Metrics, Upkeep), TelemetryError> {
    let (recorder, handle) = recorder().map_err(TelemetryError::Metrics)?;
    metrics::set_global_recorder(recorder).map_err(|_| TelemetryError::Taken("metrics"))?;
    describe();
    gauge!("build_info", "version" => version.to_owned()).set(1.0);
    let upkeep = Upkeep::start(handle.clone()).map_err(TelemetryError::Thread)?;
    Ok((Metrics(handle), upkeep))
}

/// Recorder that adds [`PREFIX`] to each name, so that no crate has to know it.
fn recorder() -> Result<(Prefix<PrometheusRecorder>, PrometheusHandle), BuildError> {
    let mut builder = PrometheusBuilder::new();
    for metric in METRICS.iter().filter(|metric| !metric.buckets.is_empty()) {
        builder = builder.set_buckets_for_metric(Matcher::Full(metric.full_name()), metric.buckets)?;
    }
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    Ok((PrefixLayer::new(PREFIX).layer(recorder), handle))
}

/// Registers unit and help text of each metric at the current recorder.
fn describe() {
    for metric in METRICS {
        let unit = metric.unit.unwrap_or(Unit::Count);
        match metric.kind {
            MetricKind::Counter => describe_counter!(metric.name, unit, metric.help),
            MetricKind::Gauge => describe_gauge!(metric.name, unit, metric.help),
            MetricKind::Histogram => describe_histogram!(metric.name, unit, metric.help),
        }
    }
}

/// Thread that drains recorded samples, which otherwise accumulate until the next rendering.
#[derive(Debug)]
pub(crate) struct Upkeep {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Upkeep {
    fn start(metrics: PrometheusHandle) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("metrics-upkeep".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(UPKEEP_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    metrics.run_upkeep();
                }
            })?;
        Ok(Self { stop, thread })
    }

    pub(crate) fn stop(self) {
        drop(self.stop);
        // An error is a panic, which the panic hook has already reported.
        let _ = self.thread.join();
    }
}

#[cfg(test)]
mod tests;
