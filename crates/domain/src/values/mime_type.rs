use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Image type that a client may declare. The types that can be processed depend on the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MimeType {
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
    /// `image/webp`
    Webp,
    /// `image/gif`
    Gif,
    /// `image/tiff`
    Tiff,
    /// `image/heic`
    Heic,
    /// `image/heif`
    Heif,
    /// `image/avif`
    Avif,
}

/// Error of parsing an image type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the type must be one of image/jpeg, image/png, image/webp, image/gif, image/tiff, image/heic, image/heif, image/avif"
)]
pub struct MimeTypeError;

impl MimeType {
    /// All types.
    pub const ALL: [Self; 8] = [
        Self::Jpeg,
        Self::Png,
        Self::Webp,
        Self::Gif,
        Self::Tiff,
        Self::Heic,
        Self::Heif,
        Self::Avif,
    ];

    /// Name registered with IANA.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Tiff => "image/tiff",
            Self::Heic => "image/heic",
            Self::Heif => "image/heif",
            Self::Avif => "image/avif",
        }
    }

    /// Usual extension of filenames, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Tiff => "tiff",
            Self::Heic => "heic",
            Self::Heif => "heif",
            Self::Avif => "avif",
        }
    }
}

impl FromStr for MimeType {
    type Err = MimeTypeError;

    fn from_str(raw: &str) -> Result<Self, MimeTypeError> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(raw))
            .ok_or(MimeTypeError)
    }
}

impl fmt::Display for MimeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for MimeType {
    type Error = MimeTypeError;

    fn try_from(raw: String) -> Result<Self, MimeTypeError> {
        raw.parse()
    }
}

impl From<MimeType> for String {
    fn from(mime_type: MimeType) -> Self {
        mime_type.as_str().to_owned()
    }
}
