use serde::{Deserialize, Serialize};

use crate::id::{PhotoId, UserId};

/// Location of an object in storage.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Name of the bucket.
    pub bucket: String,
    /// Key in the bucket.
    pub key: String,
    /// Region of the bucket.
    pub region: String,
}

/// Maximum length of the longer edge of a thumbnail, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u32")]
pub enum ThumbnailEdge {
    /// 256 px
    Small,
    /// 1024 px
    Large,
}

impl ThumbnailEdge {
    /// Sizes of the thumbnails of every photo.
    pub const ALL: [Self; 2] = [Self::Small, Self::Large];

    /// Length in pixels.
    pub const fn pixels(self) -> u32 {
        match self {
            Self::Small => 256,
            Self::Large => 1024,
        }
    }
}

impl From<ThumbnailEdge> for u32 {
    fn from(edge: ThumbnailEdge) -> Self {
        edge.pixels()
    }
}

impl TryFrom<u32> for ThumbnailEdge {
    type Error = String;

    fn try_from(pixels: u32) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|edge| edge.pixels() == pixels)
            .ok_or_else(|| format!("a thumbnail edge must be 256 or 1024 pixels, not {pixels}"))
    }
}

/// Storage keys of one deployment, which share a prefix in the bucket:
/// `{env}/{userId}/{photoId}/original` and `{env}/{userId}/{photoId}/thumbnails/{256|1024}.jpg`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySpace {
    environment: String,
}

/// Error of parsing the name of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an environment name must be 1 to 32 characters of a-z, 0-9, - and _")]
pub struct KeySpaceError;

/// Owner and photo of an original, parsed from its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginalKey {
    /// Owner of the photo.
    pub owner: UserId,
    /// Identifier of the photo.
    pub photo: PhotoId,
}

impl KeySpace {
    /// Keys of an environment, such as `prod`.
    pub fn new(environment: &str) -> Result<Self, KeySpaceError> {
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        if (1..=32).contains(&environment.len()) && environment.bytes().all(plain) {
            Ok(Self {
                environment: environment.to_owned(),
            })
        } else {
            Err(KeySpaceError)
        }
    }

    /// Name of the environment.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// Key of the original of a photo.
    pub fn original(&self, owner: UserId, photo: PhotoId) -> String {
        format!("{}/{owner}/{photo}/original", self.environment)
    }

    /// Key of a thumbnail of a photo.
    pub fn thumbnail(&self, owner: UserId, photo: PhotoId, edge: ThumbnailEdge) -> String {
        format!(
            "{}/{owner}/{photo}/thumbnails/{}.jpg",
            self.environment,
            edge.pixels()
        )
    }

    /// Parses the key of an original; `None` if it is not an original of this environment.
    pub fn parse_original(&self, key: &str) -> Option<OriginalKey> {
        let rest = key.strip_prefix(&self.environment)?.strip_prefix('/')?;
        let mut segments = rest.split('/');
        let owner = segments.next()?.parse().ok()?;
        let photo = segments.next()?.parse().ok()?;
        (segments.next() == Some("original") && segments.next().is_none())
            .then_some(OriginalKey { owner, photo })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_of_originals_of_the_same_environment_are_parsed() {
        let keys = KeySpace::new("test").unwrap();
        let (owner, photo) = (UserId::from_bits(1), PhotoId::from_bits(2));
        let key = keys.original(owner, photo);
        assert_eq!(keys.parse_original(&key), Some(OriginalKey { owner, photo }));
        assert_eq!(
            keys.parse_original(&keys.thumbnail(owner, photo, ThumbnailEdge::Small)),
            None
        );
        assert_eq!(KeySpace::new("tes").unwrap().parse_original(&key), None);
        for other in [
            "",
            "test",
            "test//",
            &format!("{key}/"),
            &format!("/{key}"),
            "test/usr_1/ph_2/original",
        ] {
            assert_eq!(keys.parse_original(other), None, "{other:?}");
        }
        assert!(KeySpace::new("a/b").is_err() && KeySpace::new("").is_err());
    }
}
