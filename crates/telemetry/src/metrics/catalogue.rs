use metrics::Unit;

/// What a metric does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It has many samples, of which the distribution counts.
    Histogram,
}

/// A metric that some crate records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, which ends in its unit, and in `_total` for counters.
    pub name: &'static str,
    /// What it does.
    pub kind: MetricKind,
    /// What it is measured in; a number of things when it is `None`.
    pub unit: Option<Unit>,
    /// What it tells.
    pub help: &'static str,
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric {
        name,
        kind: MetricKind::Counter,
        unit: None,
        help,
    }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric {
        name,
        kind: MetricKind::Gauge,
        unit: None,
        help,
    }
}

const fn seconds(name: &'static str, help: &'static str) -> Metric {
    Metric {
        name,
        kind: MetricKind::Histogram,
        unit: Some(Unit::Seconds),
        help,
    }
}

/// Every metric there is.
pub const METRICS: &[Metric] = &[
    counter("upload_job_created_total", "Upload jobs created"),
    counter(
        "upload_job_completed_total",
        "Upload jobs whose photos have all come to an end, by status",
    ),
    counter(
        "photo_queued_total",
        "Photos that clients have promised to upload",
    ),
    counter("photo_retried_total", "Failed photos that were tried again"),
    counter("photo_completed_total", "Photos completed"),
    counter("photo_rejected_total", "Photos rejected, by reason"),
    counter("photo_failed_total", "Photos failed, by reason"),
    counter("photo_cancelled_total", "Photos cancelled"),
    counter(
        "storage_events_total",
        "Events that storage has reported, by what came of them",
    ),
    counter(
        "http_requests_total",
        "HTTP requests answered, by method, route and status",
    ),
    gauge(
        "upload_inflight",
        "Photos that clients are uploading, as far as this process has been told",
    ),
    gauge("work_due", "Pieces of work that are due and unclaimed, by kind"),
    gauge(
        "live_watchers",
        "Watchers that this process serves live updates to",
    ),
    seconds(
        "http_request_duration_seconds",
        "Time from an HTTP request's head to the end of its answer's head",
    ),
    seconds("log_commit_seconds", "Time that a commit to the record takes"),
    seconds(
        "thumbnail_latency_seconds",
        "Time that decoding a photo and making its thumbnails takes",
    ),
];
