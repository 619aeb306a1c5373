//! An S3 server over a directory, for running the whole application on one machine.
//!
//! The protocol (routing, signatures, XML) is `s3s`; what a store must promise is here: an object is either there,
//! whole, verified and on the disk, or it is not there at all. After a `200` neither a crash nor a power cut loses it,
//! and no refused upload ever touches the object that was there before. The application is told of each new object by a
//! message in the dialect of AWS ([`StorageMessages`]), before the upload is answered.
//!
//! It serves one bucket with one key pair: PUT, GET (whole or a range), HEAD, DELETE and `HeadBucket`, signed
//! by header or in the URL, and CORS. Everything else is answered `NotImplemented`.
//!
//! # On the disk
//!
//! ```text
//! <root>/layout                            which layout this is; an unknown one is refused
//! <root>/lock                              locked while a store is open: there is never a second one
//! <root>/incoming/<ulid>                   uploads that are not objects yet; emptied when the store opens
//! <root>/buckets/<bucket>/<2 hex>/<64 hex> one file for an object, named by the SHA-256 of its key
//! ```
//!
//! - Names are hashes, so any key fits (1024 bytes, any UTF-8), `a//b` is not `a/b`, and no key leads out of the
//!   directory.
//! - One file holds everything about an object: its bytes first (a stored JPEG opens in any viewer), then a trailer
//!   with the key, ETag, SHA-256, content type and so on as JSON, closed by lengths, a digest and a magic word.
//!   One rename publishes it all; there is no moment at which the one is there without the other.
//! - The 256 directories of a bucket are made when the store opens, so an upload only has to sync one of them.
//!
//! An upload is written to `incoming`, verified, closed with its trailer and synced; then renamed over the object, or,
//! where it must not replace one (`If-None-Match: *`), linked to its name, which exactly one of many can do; then the
//! directory is synced, the message handed over, and the request answered. A crash before the rename leaves a
//! file in `incoming`, a crash after it leaves the object. Multipart uploads fit in beside `incoming`: parts are files
//! that completion joins into one upload, which is then published in the same way.
//!
//! [`StorageMessages`]: rapidphoto_application::ports::StorageMessages

mod access;
mod announcement;
mod backend;
mod config;
mod directory;
mod server;
mod store;

pub use config::EmbeddedConfig;
pub use directory::OpenError;
pub use store::EmbeddedStore;
