use chrono::{DateTime, Utc};

/// The only source of the time of day.
pub trait Clock: Send + Sync {
    /// The present moment, in UTC, at least to the millisecond.
    fn now(&self) -> DateTime<Utc>;
}
