//! Recording and rendering of metrics.

mod catalogue;

use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::config::TelemetryError;

pub use catalogue::{METRICS, Metric, MetricKind};

/// The metrics of this process.
#[derive(Debug, Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Media type of the text from [`Self::render`].
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Renders all metrics in Prometheus's text format.
    pub fn render(&self) -> String {
        self.0.render()
    }
}

/// Histogram bounds in seconds, from a fast query to a slow photo.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];

/// Interval at which recorded samples are moved into the histograms.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Installs the global recorder and starts its upkeep.
pub(crate) fn install() -> Result<(Metrics, Upkeep), TelemetryError> {
    let recorder = recorder().map_err(TelemetryError::Metrics)?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| TelemetryError::Taken("metrics"))?;
    describe();
    let upkeep = Upkeep::start(handle.clone()).map_err(TelemetryError::Thread)?;
    Ok((Metrics(handle), upkeep))
}

fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?;
    Ok(builder.build_recorder())
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
mod tests {
    use std::collections::BTreeSet;

    use metrics::{counter, gauge, histogram};

    use super::*;

    /// Text after every metric was recorded once.
    fn rendered() -> String {
        let recorder = recorder().unwrap();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            for metric in METRICS {
                match metric.kind {
                    MetricKind::Counter => counter!(metric.name, "outcome" => "a\"b\\c\nd").increment(2),
                    MetricKind::Gauge => gauge!(metric.name).set(1.5),
                    MetricKind::Histogram => histogram!(metric.name).record(0.02),
                }
            }
        });
        handle.run_upkeep();
        Metrics(handle).render()
    }

    fn is_name(text: &str) -> bool {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    }

    #[test]
    fn names_follow_prometheus() {
        let mut names = BTreeSet::new();
        for Metric {
            name,
            kind,
            unit,
            help,
        } in METRICS
        {
            assert!(names.insert(name), "{name} is listed twice");
            assert!(is_name(name), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == MetricKind::Counter, "{name}");
            assert_eq!(name.ends_with("_seconds"), *unit == Some(Unit::Seconds), "{name}");
            assert_eq!(
                *kind == MetricKind::Histogram,
                *unit == Some(Unit::Seconds),
                "{name} has no buckets"
            );
            assert!(
                help.len() > 10 && !help.ends_with('.') && !help.contains('\n'),
                "{name}: {help}"
            );
        }
    }

    #[test]
    fn metrics_are_rendered_in_the_text_format() {
        let text = rendered();
        assert!(text.ends_with('\n'));
        let mut helped = BTreeSet::new();
        let mut typed = BTreeSet::new();
        let mut sampled = BTreeSet::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(!help.is_empty() && helped.insert(name), "{line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(typed.insert(name), "{line}");
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert!(value.parse::<f64>().is_ok(), "{line}");
                let name = series.split('{').next().unwrap();
                assert!(is_name(name), "{line}");
                assert!(series == name || series.ends_with('}'), "{line}");
                sampled.insert(name);
            }
        }
        for metric in METRICS {
            assert!(helped.contains(metric.name), "{} has no HELP", metric.name);
            assert!(typed.contains(metric.name), "{} has no TYPE", metric.name);
            let sample = match metric.kind {
                MetricKind::Histogram => format!("{}_bucket", metric.name),
                _ => metric.name.to_owned(),
            };
            assert!(sampled.contains(sample.as_str()), "{sample} has no sample");
        }
    }

    #[test]
    fn durations_are_histograms_with_ascending_bounds() {
        assert!(SECONDS.is_sorted());
        let text = rendered();
        assert!(
            text.contains(r#"thumbnail_latency_seconds_bucket{le="0.01"} 0"#),
            "{text}"
        );
        assert!(
            text.contains(r#"thumbnail_latency_seconds_bucket{le="0.025"} 1"#),
            "{text}"
        );
        assert!(
            text.contains(r#"thumbnail_latency_seconds_bucket{le="+Inf"} 1"#),
            "{text}"
        );
        assert!(text.contains("thumbnail_latency_seconds_count 1"), "{text}");
    }
}
