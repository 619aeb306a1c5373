use serde::{Deserialize, Serialize};

use crate::{PhotoId, UserId};

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// The bucket's name.
    pub bucket: String,
    /// The key in the bucket.
    pub key: String,
    /// The bucket's region.
    pub region: String,
}

/// The length of a thumbnail's longer edge, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u32")]
pub enum ThumbnailEdge {
    /// 256 px
    Small,
    /// 1024 px
    Large,
}

impl ThumbnailEdge {
    /// Every thumbnail that a photo gets.
    pub const ALL: [Self; 2] = [Self::Small, Self::Large];

    /// The edge in pixels.
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
            .ok_or_else(|| format!("no thumbnail has an edge of {pixels} px"))
    }
}

/// The part of a bucket that belongs to one deployment, and how keys are laid out in it:
/// `{env}/{userId}/{photoId}/original` and `{env}/{userId}/{photoId}/thumbnails/{256|1024}.jpg`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySpace {
    environment: String,
}

/// Why a text names no environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an environment's name is 1 to 32 of a-z, 0-9, - and _")]
pub struct KeySpaceError;

/// What the key of an original says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginalKey {
    /// Whose photo it is.
    pub owner: UserId,
    /// Which photo it is.
    pub photo: PhotoId,
}

impl KeySpace {
    /// The key space of an environment, such as `prod`.
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

    /// The environment's name.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// The key of a photo's original.
    pub fn original(&self, owner: UserId, photo: PhotoId) -> String {
        format!("{}/{owner}/{photo}/original", self.environment)
    }

    /// The key of one of a photo's thumbnails.
    pub fn thumbnail(&self, owner: UserId, photo: PhotoId, edge: ThumbnailEdge) -> String {
        format!(
            "{}/{owner}/{photo}/thumbnails/{}.jpg",
            self.environment,
            edge.pixels()
        )
    }

    /// Reads a key; `None` for everything that is not an original of this key space.
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
    fn only_originals_of_the_own_key_space_are_read() {
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
