//! Tests of the API over HTTP, with a running server on in-memory adapters.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in tests, but does not recognize these files as tests"
)]

mod accounts;
mod administration;
mod bad_bodies;
mod bad_requests;
mod client;
mod connections;
mod cors;
mod generated;
mod idempotency;
mod jobs;
mod limits;
mod lists;
mod logs;
mod middleware;
mod normalize;
mod openapi;
mod operations;
mod parts;
mod photos;
mod process;
mod progress;
mod rates;
mod samples;
mod scopes;
mod server;
mod socket;
mod stream_ends;
mod streams;
mod tags;
mod tickets;
mod websockets;
