//! Objects stored as files. All functions block on file-system calls.

mod durability;
mod key_lists;
mod keys;
mod layout;
mod multipart;
mod object_files;
mod objects;
mod precondition;
mod publication;
mod record;
mod spool;
mod upload_locks;

pub use layout::OpenError;
pub(crate) use multipart::MultipartUpload;
pub use object_files::{CopiedObjects, ObjectChecks, ObjectFiles};
pub(crate) use objects::{Directory, Removal, StoredObject};
pub(crate) use precondition::Precondition;
pub(crate) use publication::Publication;
pub(crate) use record::{
    Checksums, Creation, MAX_RECORD_BYTES, ObjectHeaders, ObjectRecord, PartRecord, etag,
};
pub(crate) use spool::{Digests, ReceivedUpload};
