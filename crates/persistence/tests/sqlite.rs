//! The SQLite adapter: the contract of every database, and its own guarantees.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test panics at the first failure"
)]

#[path = "sqlite/append_only.rs"]
mod append_only;
#[path = "sqlite/commits.rs"]
mod commits;
#[path = "sqlite/contract.rs"]
mod contract;
#[path = "sqlite/durability.rs"]
mod durability;
#[path = "sqlite/erasure.rs"]
mod erasure;
#[path = "sqlite/groups.rs"]
mod groups;
#[path = "sqlite/job_completion.rs"]
mod job_completion;
#[path = "sqlite/log.rs"]
mod log;
#[path = "sqlite/opening.rs"]
mod opening;
#[path = "sqlite/photo_tags.rs"]
mod photo_tags;
#[path = "sqlite/photo_words.rs"]
mod photo_words;
#[path = "sqlite/read_only.rs"]
mod read_only;
#[path = "sqlite/readers.rs"]
mod readers;
#[path = "sqlite/sessions.rs"]
mod sessions;
mod support;
#[path = "sqlite/usage.rs"]
mod usage;
#[path = "sqlite/work_migration.rs"]
mod work_migration;
