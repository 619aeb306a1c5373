//! What the record in SQLite promises beyond the contract of every record.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is wrong"
)]

#[path = "record/append_only.rs"]
mod append_only;
#[path = "record/durability.rs"]
mod durability;
#[path = "record/groups.rs"]
mod groups;
#[path = "record/log.rs"]
mod log;
#[path = "record/opening.rs"]
mod opening;
#[path = "record/readers.rs"]
mod readers;
mod support;
