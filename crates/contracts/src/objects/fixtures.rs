use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use rapidphoto_application::ports::{ObjectStore, PartGrant, PresignedUrl, Presigner, PutGrant, ReadGrant};
use rapidphoto_domain::{
    PhotoId, UserId,
    values::{Checksum, ETag, KeySpace, MimeType, MultipartId, PartNumber},
};
use sha2::{Digest, Sha256};

/// Key of an original.
pub(super) fn key(number: u128) -> String {
    let owner = UserId::from_bits(0x0192_f0aa << 96);
    KeySpace::new("test")
        .unwrap()
        .original(owner, PhotoId::from_bits(number))
}

/// Keys with characters that URLs and signatures encode in different ways.
pub(super) fn unusual_keys() -> [String; 6] {
    ["a b", "a+b", "a%20b", "a%2Bb", "Zürich–猫", "~*'()!$&,;=:@"]
        .map(|name| key(1).replace("original", name))
}

/// Bytes without a repeating pattern.
pub(super) fn body(length: usize) -> Bytes {
    (0..length.div_ceil(8) as u64)
        .flat_map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
        .take(length)
        .collect()
}

pub(super) fn checksum(body: &[u8]) -> Checksum {
    Checksum::from_bytes(Sha256::digest(body).into())
}

/// Grant to upload exactly this body, valid for ten minutes.
pub(super) fn grant(key: &str, body: &[u8]) -> PutGrant {
    PutGrant {
        key: key.to_owned(),
        mime_type: MimeType::Jpeg,
        bytes: body.len() as u64,
        checksum: Some(checksum(body)),
        valid_for: Duration::from_mins(10),
    }
}

/// Grant to send a part of this length, valid for ten minutes.
pub(super) fn part_grant(key: &str, upload: &MultipartId, number: u16, bytes: usize) -> PartGrant {
    PartGrant {
        key: key.to_owned(),
        upload: upload.clone(),
        number: PartNumber::new(number).unwrap(),
        bytes: bytes as u64,
        valid_for: Duration::from_mins(10),
    }
}

/// Grant to read in place, valid for ten minutes.
pub(super) fn reading(key: &str) -> ReadGrant {
    ReadGrant {
        key: key.to_owned(),
        download_as: None,
        mime_type: MimeType::Jpeg,
        valid_for: Duration::from_mins(10),
    }
}

pub(super) async fn signed(presigner: &dyn Presigner, grant: &PutGrant) -> PresignedUrl {
    presigner.put(grant).await.unwrap()
}

/// All bytes of an object.
pub(super) async fn read(store: &dyn ObjectStore, key: &str, e_tag: &ETag) -> Bytes {
    let object = store.get(key, e_tag).await.unwrap();
    let chunks: Vec<Bytes> = object.stream.try_collect().await.unwrap();
    let body = chunks.concat();
    assert_eq!(
        body.len() as u64,
        object.bytes,
        "the length is known before the body"
    );
    body.into()
}
