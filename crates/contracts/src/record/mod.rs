//! What every record must do: journal, log, work, subscriptions, sessions and reads, which share one store.

pub mod aggregates;
pub mod claims;
pub mod commits;
pub mod contention;
pub mod dropped_commits;
pub mod given;
mod harness;
pub mod idempotency;
pub mod job_views;
pub mod log;
pub mod log_filters;
pub mod namespaces;
pub mod photo_lists;
pub mod photo_reads;
mod play;
pub mod races;
pub mod repeats;
pub mod seen;
pub mod sessions;
pub mod state_rows;
pub mod subscriptions;
mod suites;
pub mod tickets;
pub mod turns;
pub mod unique_names;
pub mod versions;
pub mod work_orders;

pub use harness::RecordHarness;
