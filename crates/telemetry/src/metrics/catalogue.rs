use metrics::Unit;

/// Kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Value that only increases.
    Counter,
    /// Value that increases and decreases.
    Gauge,
    /// Distribution of samples.
    Histogram,
}

/// A metric recorded by one of the crates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Name; ends in the unit, or in `_total` for counters.
    pub name: &'static str,
    /// Kind.
    pub kind: MetricKind,
    /// Unit; `None` for a count.
    pub unit: Option<Unit>,
    /// Help text of the metric.
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

/// All metrics.
pub const METRICS: &[Metric] = &[
    counter("upload_job_created_total", "Upload jobs created"),
    counter(
        "upload_job_completed_total",
        "Upload jobs whose photos have all reached a final state, by status",
    ),
    counter("photo_queued_total", "Photos declared by clients for upload"),
    counter("photo_retried_total", "Retries of failed photos"),
    counter("photo_completed_total", "Photos completed"),
    counter("photo_rejected_total", "Photos rejected, by reason"),
    counter("photo_failed_total", "Photos failed, by reason"),
    counter("photo_cancelled_total", "Photos cancelled"),
    counter("storage_events_total", "Storage events received, by outcome"),
    counter(
        "storage_requests_total",
        "Requests to the embedded storage, by operation and outcome",
    ),
    counter(
        "http_requests_total",
        "HTTP responses, by method, route and status",
    ),
    counter(
        "imaging_children_started_total",
        "Child processes for inspections started",
    ),
    counter(
        "imaging_children_ended_total",
        "Child processes for inspections that ended or could not be started, by reason",
    ),
    gauge(
        "imaging_children",
        "Child processes for inspections that are running",
    ),
    counter(
        "security_events_total",
        "Logins, refusals, reused refresh tokens, registrations and changes of accounts, by event",
    ),
    counter(
        "connections_refused_total",
        "Connections refused, by listener and reason: a limit, or a TLS handshake that failed",
    ),
    counter(
        "connections_closed_total",
        "Connections closed because their client held them without using them, by listener and reason",
    ),
    gauge("connections_open", "Open connections, by listener"),
    gauge(
        "upload_inflight",
        "Uploads in progress that clients have reported to this process",
    ),
    Metric {
        unit: Some(Unit::Bytes),
        ..gauge(
            "database_wal_bytes",
            "Size of the write-ahead log of the SQLite database",
        )
    },
    gauge(
        "data_free_bytes",
        "Free space of the database's file system in bytes",
    ),
    gauge(
        "store_free_bytes",
        "Free space of the objects' file system in bytes",
    ),
    gauge("work_due", "Work items that are due and unclaimed, by kind"),
    gauge(
        "live_watchers",
        "Clients that receive live updates from this process",
    ),
    seconds(
        "http_request_duration_seconds",
        "Time from the head of an HTTP request to the head of its response",
    ),
    seconds("log_commit_seconds", "Duration of a commit to the database"),
    seconds(
        "thumbnail_latency_seconds",
        "Time for decoding a photo and encoding its thumbnails",
    ),
];
