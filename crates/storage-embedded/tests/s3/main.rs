//! The store as its clients see it: over TCP, by the official SDK, a plain HTTP client and hostile bytes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in tests, and does not see that these files hold nothing else"
)]

mod announcements;
mod chunks;
mod cors;
mod hostile;
mod keys;
mod objects;
mod rig;
mod serving;
mod signatures;
mod uploads;
