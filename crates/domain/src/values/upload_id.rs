use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::{Uuid, Variant};

/// Identifier that the client chose for a file: a UUID of version 4, unique per user. It is not the identifier of an S3
/// multipart upload, which clients never receive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UploadId(Uuid);

/// Error of parsing an upload id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an upload id must be a UUID of version 4, such as 4b1f9c52-8a5e-4c1d-9f0e-2d6f0c4f7a11")]
pub struct UploadIdError;

impl UploadId {
    /// UUID of version 4 with these random bits.
    pub fn from_random(bits: u128) -> Self {
        Self(uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid())
    }
}

impl FromStr for UploadId {
    type Err = UploadIdError;

    fn from_str(raw: &str) -> Result<Self, UploadIdError> {
        let uuid = Uuid::try_parse(raw).map_err(|_| UploadIdError)?;
        let random = uuid.get_version_num() == 4 && uuid.get_variant() == Variant::RFC4122;
        if random && raw.len() == 36 {
            Ok(Self(uuid))
        } else {
            Err(UploadIdError)
        }
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for UploadId {
    type Error = UploadIdError;

    fn try_from(raw: String) -> Result<Self, UploadIdError> {
        raw.parse()
    }
}

impl From<UploadId> for String {
    fn from(id: UploadId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hyphenated_uuids_of_version_4_are_accepted() {
        let id = UploadId::from_random(0x1234);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        for bad in [
            "",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "{4b1f9c52-8a5e-4c1d-9f0e-2d6f0c4f7a11}",
            "4b1f9c528a5e4c1d9f0e2d6f0c4f7a11",
        ] {
            assert_eq!(bad.parse::<UploadId>(), Err(UploadIdError), "{bad}");
        }
    }
}
