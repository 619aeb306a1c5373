//! The store as seen by its clients: over TCP, with the official SDK, a plain HTTP client and raw bytes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in tests, and does not see that these files hold nothing else"
)]

mod chunked_uploads;
mod clients;
mod copies;
mod cors;
mod deletes;
mod faulty_clients;
mod free_space;
mod keys;
mod late_bodies;
mod lists;
mod multipart;
mod multipart_lists;
mod multipart_refusals;
mod notifications;
mod objects;
mod observability;
mod one_upload_per_key;
mod operations;
mod process;
mod reads;
mod refused_heads;
mod shutdown;
mod signatures;
#[path = "../support/mod.rs"]
mod support;
mod uploads;
