//! An S3-compatible server that stores objects in a directory, for running the whole application on one machine.
//!
//! The protocol (routing, signatures, XML) is implemented by `s3s`. This crate adds durability and atomicity: an object
//! either exists completely, verified and synced to the disk, or not at all. After a `200` neither a crash nor a power
//! failure loses it, and a rejected upload never changes an existing object. The application receives an event
//! notification in the format of AWS ([`StorageMessages`]) for each created object before the upload is answered.
//!
//! The server has one bucket and one key pair. It supports PUT, GET (whole objects and ranges), HEAD, DELETE and
//! `HeadBucket`, signed by header or by presigned URL, and CORS. All other operations fail with `NotImplemented`.
//!
//! # On-disk format
//!
//! ```text
//! <root>/layout                            layout version; an unknown one is an error
//! <root>/lock                              locked while a store is open, so that there is only one
//! <root>/incoming/<ulid>                   unfinished uploads; removed when the store opens
//! <root>/buckets/<bucket>/<2 hex>/<64 hex> one file per object, named by the SHA-256 of its key
//! ```
//!
//! - File names are hashes, so keys may have any content (1024 bytes of UTF-8), `a//b` differs from `a/b`, and no key
//!   can leave the directory.
//! - One file contains everything about an object: first its data (a stored JPEG opens in any viewer), then a trailer
//!   with the key, ETag, SHA-256, content type and other metadata as JSON, followed by lengths, a digest and a magic
//!   number. Data and metadata are published by one rename, so neither ever exists without the other.
//! - The 256 subdirectories of a bucket are created when the store opens, so that an upload syncs only one of them.
//!
//! An upload is written to `incoming`, verified, completed with its trailer and synced. It is then renamed to the
//! object's path; an upload that must not replace an object (`If-None-Match: *`) is hard-linked instead, which succeeds
//! for exactly one of several concurrent uploads. Then the directory is synced, the event notification is sent and the
//! request is answered. A crash before the rename leaves a file in `incoming`; a crash after it leaves the object.
//! Multipart uploads would fit in: parts would be files beside `incoming` that the completion joins into one upload,
//! which is published in the same way.
//!
//! [`StorageMessages`]: rapidphoto_application::ports::StorageMessages

mod access;
mod backend;
mod config;
mod directory;
mod notifications;
mod objects;
mod server;
mod signature;
mod store;

pub use config::EmbeddedConfig;
pub use directory::{CopiedObjects, ObjectChecks, ObjectFiles, OpenError};
pub use objects::EmbeddedObjects;
pub use server::Listener;
pub use store::{EmbeddedStore, WriteCheck};
