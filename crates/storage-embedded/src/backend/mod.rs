//! The S3 operations, between the protocol and the directory.

mod attributes;
mod blocking;
mod blocks;
mod bucket;
mod checksums;
mod conditions;
mod copy;
mod delete;
mod errors;
mod get;
mod lists;
mod multipart;
mod operations;
mod put;
mod receive;
mod receiving;
mod space;

pub(crate) use blocking::blocking;
pub(crate) use bucket::Backend;
pub(crate) use get::READ_BYTES;
pub(crate) use multipart::{Completion, NamedPart};
pub(crate) use space::Space;
