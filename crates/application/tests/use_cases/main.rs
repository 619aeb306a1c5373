//! From the arrival of an object to the photo's end, on the adapters in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here is a failed test"
)]

mod bench;
mod cleaning;
mod intake;
mod interleavings;
mod job_completion;
mod journal;
mod live;
mod logging_in;
mod looking;
mod processing;
mod progress;
mod promising;
mod running;
mod verification;
