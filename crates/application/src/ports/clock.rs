use chrono::{DateTime, Utc};

/// The only source of the time of day.
pub trait Clock: Send + Sync {
    /// The present moment in UTC, in whole milliseconds: what the record keeps is what was said.
    fn now(&self) -> DateTime<Utc>;
}
