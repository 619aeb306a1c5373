use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use s3s::crypto::{Checksum as _, Sha256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Maximum size of a record as JSON; ample for a key, a few headers and the 2 KB of metadata that S3 allows.
pub(crate) const MAX_RECORD_BYTES: usize = 16 * 1024;

/// Last bytes of the file of an object or of a part: length of the record, length of the data, digest of the record, magic number.
const FOOTER_BYTES: usize = 4 + 8 + DIGEST_BYTES + MAGIC.len();
const DIGEST_BYTES: usize = 16;
const MAGIC: &[u8; 8] = b"RPUobj01";

/// Checksums in base64, by the names that S3 has for their algorithms. One of checksums of parts ends in `-n`.
pub(crate) type Checksums = BTreeMap<String, String>;

/// Key, digests and metadata of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectRecord {
    pub(crate) key: String,
    /// ETag without quotes.
    pub(crate) etag: String,
    /// SHA-256 of the data in base64.
    pub(crate) sha256: String,
    /// Other checksums that the client declared.
    #[serde(default, skip_serializing_if = "Checksums::is_empty")]
    pub(crate) checksums: Checksums,
    #[serde(default, skip_serializing_if = "Creation::is_put")]
    pub(crate) creation: Creation,
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub(crate) modified: DateTime<Utc>,
    /// `sequencer` of the object's event notifications: increases with every upload of a key, repeated when the
    /// notification of the same upload is sent again.
    pub(crate) sequencer: String,
    #[serde(default)]
    pub(crate) headers: ObjectHeaders,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Operation that created an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Creation {
    #[default]
    Put,
    Copy,
    /// The upload in parts with this id.
    Multipart(String),
}

impl Creation {
    fn is_put(&self) -> bool {
        matches!(self, Self::Put)
    }
}

/// A part of an upload in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    /// ETag without quotes: the MD5 of the data in hex.
    pub(crate) etag: String,
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub(crate) modified: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Checksums::is_empty")]
    pub(crate) checksums: Checksums,
}

/// Representation headers, stored with a PUT and returned by GET and HEAD.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ObjectHeaders {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
}

/// ETag of data that was stored by one request: the first half of its SHA-256. The end in `-1` is that of an upload in one
/// part, so that no client takes it for the MD5 of the data, which is not computed.
pub(crate) fn etag(sha256: &str) -> String {
    let digest = STANDARD.decode(sha256).unwrap_or_default();
    format!("{}-1", hex::encode(digest.get(..16).unwrap_or_default()))
}

/// Bytes to be appended to `data_bytes` bytes of data.
pub(super) fn trailer(record: &impl Serialize, data_bytes: u64) -> io::Result<Vec<u8>> {
    let mut trailer = serde_json::to_vec(record)?;
    let digest = digest(&trailer);
    let length = u32::try_from(trailer.len()).map_err(io::Error::other)?;
    trailer.extend_from_slice(&length.to_le_bytes());
    trailer.extend_from_slice(&data_bytes.to_le_bytes());
    trailer.extend_from_slice(&digest);
    trailer.extend_from_slice(MAGIC);
    Ok(trailer)
}

/// Reads the record at the end of `file` and the number of bytes of data before it.
///
/// # Errors
/// `InvalidData` if the file is incomplete or damaged.
pub(super) fn read<R: DeserializeOwned>(mut file: &File) -> io::Result<(R, u64)> {
    let total = file.metadata()?.len();
    let mut footer = [0; FOOTER_BYTES];
    if total < FOOTER_BYTES as u64 {
        return Err(damaged("it is too short"));
    }
    file.seek(SeekFrom::Start(total - FOOTER_BYTES as u64))?;
    file.read_exact(&mut footer)?;

    let (record_bytes, rest) = footer
        .split_first_chunk()
        .ok_or_else(|| damaged("its footer is short"))?;
    let (data_bytes, rest) = rest
        .split_first_chunk()
        .ok_or_else(|| damaged("its footer is short"))?;
    let (expected, magic) = rest
        .split_at_checked(DIGEST_BYTES)
        .ok_or_else(|| damaged("its footer is short"))?;
    let record_bytes = u64::from(u32::from_le_bytes(*record_bytes));
    let data_bytes = u64::from_le_bytes(*data_bytes);
    if magic != MAGIC {
        return Err(damaged("its footer has no magic number"));
    }
    let declared = data_bytes
        .checked_add(record_bytes)
        .and_then(|sum| sum.checked_add(FOOTER_BYTES as u64));
    if declared != Some(total) {
        return Err(damaged("its length differs from the one in its footer"));
    }

    // Bounded by the file's length, as checked above.
    let mut record = Vec::new();
    file.seek(SeekFrom::Start(data_bytes))?;
    file.take(record_bytes).read_to_end(&mut record)?;
    if digest(&record) != expected {
        return Err(damaged("its record does not match the digest in its footer"));
    }
    let record =
        serde_json::from_slice(&record).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok((record, data_bytes))
}

fn digest(record: &[u8]) -> Vec<u8> {
    Sha256::checksum(record)
        .iter()
        .copied()
        .take(DIGEST_BYTES)
        .collect()
}

fn damaged(reason: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the object's file is damaged: {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn record() -> ObjectRecord {
        ObjectRecord {
            key: "a//b ü".to_owned(),
            etag: "0123".to_owned(),
            sha256: "abc=".to_owned(),
            checksums: Checksums::from([("CRC32".to_owned(), "AAAAAA==".to_owned())]),
            creation: Creation::Multipart("1".to_owned()),
            modified: DateTime::from_timestamp_millis(1_700_000_000_123).unwrap(),
            sequencer: "0F".to_owned(),
            headers: ObjectHeaders {
                content_type: Some("image/jpeg".to_owned()),
                ..ObjectHeaders::default()
            },
            metadata: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        }
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_record_is_read_back_unchanged() {
        let mut bytes = b"data".to_vec();
        bytes.extend(trailer(&record(), 4).unwrap());
        assert_eq!(read(&file(&bytes)).unwrap(), (record(), 4));
        assert_eq!(
            read(&file(&trailer(&record(), 0).unwrap())).unwrap(),
            (record(), 0)
        );
    }

    #[test]
    fn a_file_truncated_at_any_length_is_an_error() {
        let mut bytes = b"data".to_vec();
        bytes.extend(trailer(&record(), 4).unwrap());
        for length in 0..bytes.len() {
            let error = read::<ObjectRecord>(&file(&bytes[..length])).unwrap_err();
            assert_eq!(
                error.kind(),
                io::ErrorKind::InvalidData,
                "truncated to {length} bytes"
            );
        }
    }

    #[test]
    fn changing_any_byte_of_the_trailer_is_an_error() {
        let mut bytes = b"data".to_vec();
        bytes.extend(trailer(&record(), 4).unwrap());
        for position in 4..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            assert!(
                read::<ObjectRecord>(&file(&changed)).is_err(),
                "changed at {position}"
            );
        }
    }
}
