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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Name without [`PREFIX`], as the crates record it; ends in the unit, or in `_total` for counters.
    pub name: &'static str,
    /// Kind.
    pub kind: MetricKind,
    /// Unit; `None` for a count.
    pub unit: Option<Unit>,
    /// Help text of the metric.
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets, ascending; empty for other kinds.
    pub buckets: &'static [f64],
}

impl Metric {
    /// Name as it is rendered.
    pub fn full_name(&self) -> String {
        format!("{PREFIX}_{}", self.name)
    }
}

/// First word of all names: those of several programs share one database.
pub const PREFIX: &str = "rapidphoto";

/// Requests: from a cached read to the default `server.request_timeout`.
const REQUEST_SECONDS: &[f64] = &[
    0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Commits: from a write without a sync to a disk that hangs.
const COMMIT_SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// Inspections: from a small JPEG to the time limit of a child process.
const INSPECTION_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric {
        name,
        kind: MetricKind::Counter,
        unit: None,
        help,
        buckets: &[],
    }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric {
        name,
        kind: MetricKind::Gauge,
        unit: None,
        help,
        buckets: &[],
    }
}

const fn seconds(name: &'static str, help: &'static str, buckets: &'static [f64]) -> Metric {
    Metric {
        name,
        kind: MetricKind::Histogram,
        unit: Some(Unit::Seconds),
        help,
        buckets,
    }
}

/// All metrics.
pub const METRICS: &[Metric] = &[
    gauge("build_info", "Version of the program; the value is always 1"),
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
        "broker_messages_total",
        "Storage notifications that left the queue of the message broker, by outcome",
    ),
    counter(
        "broker_messages_redelivered_total",
        "Storage notifications that the message broker delivered again",
    ),
    counter(
        "broker_publish_failures_total",
        "Attempts to publish to the message broker that failed, by purpose",
    ),
    gauge(
        "broker_connected",
        "1 while the connection to the message broker for a purpose is open",
    ),
    counter(
        "storage_requests_total",
        "Requests to the embedded storage, by operation and outcome",
    ),
    counter("sqs_messages_total", "Messages from SQS, by outcome"),
    counter("sqs_request_failures_total", "Failed requests to SQS"),
    counter(
        "storage_errors_total",
        "Requests to the object storage that failed after all attempts, by operation",
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
    Metric {
        unit: Some(Unit::Seconds),
        ..gauge(
            "clock_skew_seconds",
            "Time by which the clock of the machine is ahead of that of the PostgreSQL server",
        )
    },
    Metric {
        unit: Some(Unit::Seconds),
        ..gauge(
            "feed_held_back_seconds",
            "Age of the oldest writing transaction of the PostgreSQL server, which later events wait for",
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
        "Time from the head of an HTTP request to the head of its response, by method, route and status",
        REQUEST_SECONDS,
    ),
    seconds(
        "log_commit_seconds",
        "Duration of a commit to the database",
        COMMIT_SECONDS,
    ),
    seconds(
        "thumbnail_latency_seconds",
        "Time for decoding a photo and encoding its thumbnails",
        INSPECTION_SECONDS,
    ),
];
