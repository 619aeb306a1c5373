//! An S3-compatible server that stores objects in a directory, for running the whole application on one machine.
//!
//! The protocol (routing, signatures, XML) is implemented by `s3s`. This crate adds durability and atomicity: an object
//! either exists completely, verified and synced to the disk, or not at all. After a `200` neither a crash nor a power
//! failure loses it, and a rejected upload never changes an existing object. The application receives an event
//! notification in the format of AWS ([`StorageMessages`]) for each created object before the upload is answered.
//!
//! The server has one bucket and one key pair. Requests are signed by header or by presigned URL. It answers PUT, GET (whole
//! objects and ranges), HEAD, copies and deletions of objects, uploads in parts, lists of objects (both versions), parts,
//! uploads and buckets, `HeadBucket`, `GetBucketLocation`, and CORS. All other operations fail with `NotImplemented`.
//!
//! # On-disk format
//!
//! ```text
//! <root>/layout                            layout version; an unknown one is an error
//! <root>/lock                              locked while a store is open, so that there is only one
//! <root>/incoming/<ulid>                   unfinished uploads; removed when the store opens
//! <root>/multipart/<ulid>/upload           description of an upload in parts, as JSON
//! <root>/multipart/<ulid>/<5 digits>       one file per part, with a trailer as an object has
//! <root>/buckets/<bucket>/<2 hex>/<64 hex> one file per object, named by the SHA-256 of its key
//! ```
//!
//! - File names are hashes, so keys may have any content (1024 bytes of UTF-8), `a//b` differs from `a/b`, and no key
//!   can leave the directory.
//! - One file contains everything about an object: first its data (a stored JPEG opens in any viewer), then a trailer
//!   with the key, ETag, SHA-256, content type and other metadata as JSON, followed by lengths, a digest and a magic
//!   number. Data and metadata are published by one rename, so neither ever exists without the other.
//! - Lists need sorted keys, which no directory has: the first list reads all records, and an index in memory follows the
//!   changes until nothing has been listed for ten minutes.
//! - The 256 subdirectories of a bucket are created when the store opens, so that an upload syncs only one of them.
//!
//! An upload is written to `incoming`, verified, completed with its trailer and synced. It is then renamed to the
//! object's path; an upload that must not replace an object (`If-None-Match: *`) is hard-linked instead, which succeeds
//! for exactly one of several concurrent uploads. Then the directory is synced, the event notification is sent and the
//! request is answered. A crash before the rename leaves a file in `incoming`; a crash after it leaves the object.
//!
//! A part is published in the same way and replaces an earlier one with its number. A completion joins the parts into one
//! upload, which is published like any other; the object's record names the upload, so that a completion can be repeated,
//! and the next start removes the parts if a crash left them. Completions and aborts of one upload exclude each other.
//!
//! The ETag of an object in parts is that of S3: the MD5 of the parts' MD5s and their number. That of any other object is
//! taken from its SHA-256 and ends in `-1`, so that clients don't take it for an MD5, which is computed only for a client that
//! declares one.
//!
//! [`StorageMessages`]: rapidphoto_application::ports::StorageMessages

mod access;
mod backend;
mod config;
mod directory;
mod free_bytes;
mod multipart_uploads;
mod notifications;
mod objects;
mod presigner;
mod server;
mod signature;
mod store;

pub use config::EmbeddedConfig;
pub use directory::{CopiedObjects, ObjectChecks, ObjectFiles, OpenError};
pub use free_bytes::free_bytes;
pub use objects::EmbeddedObjects;
pub use presigner::EmbeddedPresigner;
pub use server::Listener;
pub use store::{EmbeddedStore, WriteCheck};
