//! Background work on photos: its kinds, its scheduling and its execution.

mod arrival;
mod backoff;
mod clean;
mod download;
mod executor;
mod failure;
mod health;
mod look;
mod monitored_store;
mod orders;
mod orphans;
mod outcome;
mod pool;
mod process;
mod requests;
mod runner;

pub use backoff::LONGEST_RETRY_DELAY;
pub use orders::orders_after;
pub use runner::WorkRunner;
