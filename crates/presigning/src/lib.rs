//! Presigned URLs of S3-compatible stores: uploads, parts and downloads, by AWS Signature Version 4.
//!
//! Lengths, types, checksums and `If-None-Match: *` are signed as *headers*, because AWS may ignore a wrong value in a
//! query string. URLs and headers equal those of the AWS SDK, without a request that is never sent
//! (`storage-s3/tests/sdk_signatures.rs` compares them).

mod bucket;
mod disposition;
mod percent;
mod requests;
mod signer;

pub use bucket::BucketUrl;
pub use requests::PermittedRequest;
pub use signer::{Credentials, PresigningError, Signer};
