//! Adapter for S3-compatible stores that uses the official AWS SDK: object storage and presigned URLs.
//!
//! The store may have one endpoint for servers and another for clients. URLs are presigned for the latter; this crate
//! sends no requests to it.
//!
//! - Lengths, types, checksums and `If-None-Match: *` are signed as *headers*, because AWS may ignore a wrong value in a
//!   query string. The SDK's own checksums are disabled unless required, because some stores lack them.
//! - URLs are signed by `presigning`, with the same signatures as the SDK's. No URL outlives the credentials that signed it.
//! - URLs are signed with the time of the `Clock` port. For requests and for stalled bodies the SDK uses the system's
//!   clock.
//! - The credentials must allow `s3:ListBucket`: without it S3 answers 403 for a missing object.

#[cfg(feature = "aws-credentials")]
mod aws_credentials;
mod client;
mod conditions;
mod config;
mod credentials;
mod endpoint;
mod errors;
mod init;
mod multipart;
mod presigner;
mod probe;
mod store;

pub use config::{Addressing, ConditionalWrites, Encryption, S3Config, S3ConfigError, S3Timeouts};
pub use credentials::S3Credentials;
pub use init::{BucketSettings, BucketState, BucketStep, InitError, NotificationTarget, init_storage};
pub use store::S3Store;
