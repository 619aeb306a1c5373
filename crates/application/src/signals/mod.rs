//! In-process notifications of commits, which save their receivers a wait for the next poll. They are an optimization
//! only: a receiver that misses one finds the same work or events by polling.

mod channels;
mod event_counts;
mod journal;
mod log_wait;
mod outcome_lines;

pub use channels::Signals;
pub use journal::SignallingJournal;
pub(crate) use log_wait::{LogEnd, LogWait};
