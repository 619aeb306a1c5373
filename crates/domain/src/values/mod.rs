//! Value types. Each is validated when it is parsed, so that an existing value is always valid.

mod checksum;
mod e_tag;
mod email;
mod filename;
mod mime_type;
mod multipart;
mod object;
mod progress;
mod search_word;
mod tag_label;
mod text_value;
mod upload_id;

pub use checksum::{Checksum, ChecksumError};
pub use e_tag::{ETag, ETagError};
pub use email::{Email, EmailError};
pub use filename::{Filename, FilenameError};
pub use mime_type::{MimeType, MimeTypeError};
pub use multipart::{MultipartId, MultipartIdError, PartNumber, PartNumberError};
pub use object::{KeySpace, KeySpaceError, ObjectRef, OriginalKey, ThumbnailEdge};
pub use progress::Progress;
pub use search_word::SearchWord;
pub use tag_label::{TagLabel, TagLabelError};
pub use upload_id::{UploadId, UploadIdError};
