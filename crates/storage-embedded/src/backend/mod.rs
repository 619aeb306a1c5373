//! The S3 operations, between the protocol and the directory.

mod bucket;
mod checksums;
mod conditions;
mod errors;
mod get;
mod operations;
mod put;
mod receiving;

pub(crate) use bucket::Backend;
