//! Counters of attempts in the memory of a process, and the keys of counters.

mod keys;
mod local;

pub(crate) use keys::AttemptKeys;
pub use local::LocalAttempts;
