use chrono::{DateTime, Utc};

/// The only source of the current time.
pub trait Clock: Send + Sync {
    /// Current time in UTC, in whole milliseconds: the precision of the database, so that stored times read back equal.
    fn now(&self) -> DateTime<Utc>;
}
