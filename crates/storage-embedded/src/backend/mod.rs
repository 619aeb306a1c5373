//! The S3 operations, between the protocol and the directory.

mod blocking;
mod blocks;
mod bucket;
mod checksums;
mod conditions;
mod errors;
mod get;
mod operations;
mod put;
mod receiving;
mod space;

pub(crate) use blocking::blocking;
pub(crate) use bucket::Backend;
pub(crate) use get::READ_BYTES;
pub(crate) use space::Space;
