/// Point in time, in UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
