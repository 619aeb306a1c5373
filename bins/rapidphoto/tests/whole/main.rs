//! End-to-end tests: the real binary, real files, real requests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "clippy.toml allows them in tests, and does not see that this crate holds nothing else"
)]

mod accounts;
mod backups;
mod browser;
mod client;
#[cfg(feature = "failpoints")]
mod crashes;
mod data_directory;
mod demo;
#[cfg(all(feature = "failpoints", target_os = "linux"))]
mod drill;
mod fixtures;
mod formats;
mod hostile;
mod operating;
mod outcomes;
#[cfg(all(feature = "failpoints", target_os = "linux"))]
mod poison;
mod privacy;
#[cfg(target_os = "linux")]
mod proxies;
mod races;
mod shutdown;
mod tls;
mod uploads;
mod uppy;
