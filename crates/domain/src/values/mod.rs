//! Values: each is parsed once at the edge and can't hold a bad value afterwards.

mod checksum;
mod e_tag;
mod email;
mod filename;
mod mime_type;
mod object;
mod progress;
mod tag_label;
mod upload_id;

pub use checksum::{Checksum, ChecksumError};
pub use e_tag::{ETag, ETagError};
pub use email::{Email, EmailError};
pub use filename::{Filename, FilenameError};
pub use mime_type::{MimeType, MimeTypeError};
pub use object::{KeySpace, KeySpaceError, ObjectRef, OriginalKey, ThumbnailEdge};
pub use progress::Progress;
pub use tag_label::{TagLabel, TagLabelError};
pub use upload_id::{UploadId, UploadIdError};

/// Gives a text value its ways in and out: `FromStr`, `Display`, `AsRef<str>` and serde, all through `parse`.
macro_rules! text_value {
    ($name:ident, $error:ident) => {
        impl $name {
            /// The value as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(raw: &str) -> Result<Self, $error> {
                Self::parse(raw)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(raw: String) -> Result<Self, $error> {
                Self::parse(&raw)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}
use text_value;
