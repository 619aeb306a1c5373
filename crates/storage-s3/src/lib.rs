//! Adapter for S3-compatible stores that uses the official AWS SDK: object storage and presigned URLs.
//!
//! The store may have one endpoint for servers and another for clients. URLs are presigned for the latter; this crate
//! sends no requests to it.
//!
//! - Lengths, types, checksums and `If-None-Match: *` are signed as *headers*, because AWS may ignore a wrong value in a
//!   query string. The SDK's own checksums are disabled unless required; otherwise it would sign the CRC32 of an empty
//!   body into each URL.
//! - URLs are signed with the time of the `Clock` port. For requests and for stalled bodies the SDK uses the system's
//!   clock.
//! - The credentials must allow `s3:ListBucket`: without it S3 answers 403 for a missing object.

mod client;
mod config;
mod disposition;
mod errors;
mod presigner;
mod store;

pub use config::{S3Config, S3ConfigError, S3Credentials, S3Timeouts};
pub use store::S3Store;
