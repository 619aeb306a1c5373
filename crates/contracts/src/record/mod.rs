//! What every record must do: journal, log, work, subscriptions, sessions and reads, which share one store.

pub mod given;
mod harness;
pub mod seen;
mod suites;

pub mod repeats;
pub mod unique_names;
pub mod versions;

pub use harness::{Record, RecordHarness};
