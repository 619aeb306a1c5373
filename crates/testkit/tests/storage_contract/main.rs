//! Object store contract of the S3 adapter against real stores, over TCP.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

mod ceph;
mod client;
mod embedded;
mod moto;
