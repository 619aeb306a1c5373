//! Any S3-compatible store, through the official AWS SDK: the objects, and URLs that carry their own permission.
//!
//! Servers reach the store at one address and clients may reach it at another; URLs are signed for the latter, which is
//! never asked anything.
//!
//! - Lengths, types, checksums and `If-None-Match: *` are signed as *headers*: in a query string AWS may ignore a wrong
//!   value. The SDK's own checksums are off unless required, or it would sign the CRC32 of an empty body into each URL.
//! - URLs are signed for a moment of the `Clock` port. For the requests that it sends itself the SDK reads the system's
//!   clock, which it also measures stalled bodies by.
//! - The credentials must allow `s3:ListBucket`: without it S3 answers 403 where an object is missing.

mod client;
mod config;
mod disposition;
mod fault;
mod presigner;
mod store;

pub use config::{S3Config, S3ConfigError, S3Credentials, S3Timeouts};
pub use store::S3Store;
