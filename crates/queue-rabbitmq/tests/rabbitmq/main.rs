//! Tests on a real broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in tests, but does not recognize these files as tests"
)]

mod consumer;
mod dead_letters;
mod events;
mod outages;
mod restarts;
mod support;
mod ticks;
mod topology;
