use std::collections::BTreeMap;

use bytes::Bytes;
use rapidphoto_application::ports::{MultipartCursor, ObjectHead};
use rapidphoto_domain::{
    Timestamp,
    values::{Checksum, ETag, MultipartId, PartNumber},
};
use sha2::{Digest, Sha256};

/// Stored objects and signed URLs.
#[derive(Default)]
pub(super) struct Bucket {
    pub(super) objects: BTreeMap<String, Object>,
    /// Open uploads in parts.
    pub(super) multipart: BTreeMap<MultipartCursor, OpenMultipart>,
    /// All signed URLs; each contains its number.
    pub(super) signed: BTreeMap<String, Signed>,
    pub(super) announcements: Vec<Bytes>,
    /// Number of writes.
    pub(super) writes: u64,
}

pub(super) struct Object {
    pub(super) body: Bytes,
    pub(super) content_type: String,
    pub(super) e_tag: ETag,
    /// Number of the write that stored the object.
    pub(super) sequencer: u64,
    /// False for an object made of parts, of which stores know no checksum.
    pub(super) knows_checksum: bool,
}

pub(super) struct OpenMultipart {
    pub(super) content_type: String,
    pub(super) opened_at: Timestamp,
    pub(super) parts: BTreeMap<PartNumber, (ETag, Bytes)>,
}

/// Request permitted by one URL.
#[derive(Clone)]
pub(super) struct Signed {
    pub(super) key: String,
    pub(super) expires_at: Timestamp,
    pub(super) permits: Permission,
}

#[derive(Clone)]
pub(super) enum Permission {
    Put {
        headers: Vec<(String, String)>,
        bytes: u64,
        checksum: Option<Checksum>,
    },
    Part {
        upload: MultipartId,
        number: PartNumber,
        bytes: u64,
    },
    Get {
        headers: Vec<(String, String)>,
    },
}

impl Object {
    pub(super) fn head(&self) -> ObjectHead {
        ObjectHead {
            e_tag: self.e_tag.clone(),
            bytes: self.body.len() as u64,
            content_type: Some(self.content_type.clone()),
            checksum: self.knows_checksum.then(|| checksum(&self.body)),
        }
    }
}

impl Bucket {
    /// Stores an object. Its ETag differs for each write, so that a replaced object is never mistaken for the old one.
    pub(super) fn store(&mut self, key: &str, body: Bytes, content_type: &str) -> Option<ETag> {
        let e_tag = self.next_e_tag(&body)?;
        let object = Object {
            body,
            content_type: content_type.to_owned(),
            e_tag: e_tag.clone(),
            sequencer: self.writes,
            knows_checksum: true,
        };
        self.objects.insert(key.to_owned(), object);
        Some(e_tag)
    }

    /// Counts a write and returns its ETag.
    pub(super) fn next_e_tag(&mut self, body: &[u8]) -> Option<ETag> {
        self.writes += 1;
        let mut hash = Sha256::new_with_prefix(self.writes.to_be_bytes());
        hash.update(body);
        let hash = hex::encode(hash.finalize());
        ETag::parse(hash.get(..32)?).ok()
    }
}

pub(super) fn checksum(body: &[u8]) -> Checksum {
    Checksum::from_bytes(Sha256::digest(body).into())
}
