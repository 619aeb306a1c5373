//! Objects stored as files. All functions block on file-system calls.

mod durability;
mod layout;
mod object_files;
mod objects;
mod publication;
mod record;
mod spool;

pub use layout::OpenError;
pub use object_files::{CopiedObjects, ObjectChecks, ObjectFiles};
pub(crate) use objects::{Directory, StoredObject};
pub(crate) use publication::Publication;
pub(crate) use record::{MAX_RECORD_BYTES, ObjectHeaders, ObjectRecord};
pub(crate) use spool::ReceivedUpload;
