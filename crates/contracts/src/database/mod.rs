//! Contract of every database: journal, log, work queue, subscriptions, sessions and reads of one store.

pub mod aggregates;
pub mod claim_order;
pub mod claims;
pub mod commits;
pub mod contention;
pub mod dropped_commits;
pub mod due_times;
pub mod fixtures;
mod harness;
pub mod held_commits;
pub mod idempotency;
pub mod job_views;
pub mod log;
pub mod log_filters;
pub mod namespaces;
pub mod observations;
pub mod photo_lists;
pub mod photo_reads;
pub mod photo_tags;
pub mod races;
mod random_steps;
pub mod rejected_commits;
pub mod repeats;
pub mod sessions;
pub mod single_process;
pub mod state_rows;
pub mod stored_events;
pub mod subscriptions;
mod suites;
pub mod tickets;
pub mod unique_values;
pub mod upload_activity;
pub mod versions;
pub mod work_orders;

pub use harness::{DatabaseHarness, OpenCommit};
pub use single_process::SingleProcessHarness;
