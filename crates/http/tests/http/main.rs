//! The API through a real server and real HTTP, on adapters in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in tests, and does not see that these files hold nothing else"
)]

mod accounts;
mod answer;
mod app;
mod bad_bodies;
mod bad_requests;
mod browsers;
mod description;
mod edge;
mod jobs;
mod lists;
mod logs;
mod names;
mod operations;
mod photos;
mod process;
mod progress;
mod rates;
mod scopes;
mod streams;
mod tickets;
