use std::{pin::Pin, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;
use rapidphoto_domain::{
    Timestamp,
    values::{Checksum, ETag, Filename, MimeType, MultipartId, PartNumber},
};

use super::Unavailable;

/// Body of an object, in chunks.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Unavailable>> + Send>>;

/// Response to a HEAD request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHead {
    /// Entity tag: identifies this version of the object's content.
    pub e_tag: ETag,
    /// Size in bytes.
    pub bytes: u64,
    /// Content type that was sent with the upload.
    pub content_type: Option<String>,
    /// SHA-256, if the store knows it.
    pub checksum: Option<Checksum>,
}

/// Response to a GET request.
pub struct ObjectBody {
    /// Size in bytes, as reported by the store.
    pub bytes: u64,
    /// Content.
    pub stream: ByteStream,
}

impl std::fmt::Debug for ObjectBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectBody")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// Reasons why an object can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GetError {
    /// The object does not exist.
    #[error("the object does not exist")]
    Missing,
    /// The entity tag of the object differs from the requested one.
    #[error("the object has changed")]
    Changed,
    /// Object storage is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Reads and writes objects in the deployment's bucket.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Describes the object with a key; `None` if it does not exist.
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable>;

    /// Reads an object if its entity tag still equals `if_match`.
    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError>;

    /// Stores an object, replacing an existing one.
    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable>;

    /// Deletes an object; succeeds if it does not exist.
    async fn delete(&self, key: &str) -> Result<(), Unavailable>;

    /// Checks that the bucket is accessible.
    async fn check(&self) -> Result<(), Unavailable>;
}

/// Permission for one upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutGrant {
    /// Key of the object.
    pub key: String,
    /// Required content type.
    pub mime_type: MimeType,
    /// Required size in bytes.
    pub bytes: u64,
    /// Required SHA-256, if declared.
    pub checksum: Option<Checksum>,
    /// Validity of the URL.
    pub valid_for: Duration,
}

/// Permission to send one part of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartGrant {
    /// Key of the object.
    pub key: String,
    /// The upload.
    pub upload: MultipartId,
    /// Number of the part.
    pub number: PartNumber,
    /// Required size in bytes.
    pub bytes: u64,
    /// Validity of the URL.
    pub valid_for: Duration,
}

/// Permission to read one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadGrant {
    /// Key of the object.
    pub key: String,
    /// Filename for a download (`Content-Disposition: attachment`); `None` to display the file inline.
    pub download_as: Option<Filename>,
    /// Content type of the response.
    pub mime_type: MimeType,
    /// Validity of the URL.
    pub valid_for: Duration,
}

/// Presigned URL: a URL that contains its own authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresignedUrl {
    /// URL with signature.
    pub url: String,
    /// Headers that the client must send unchanged. `Content-Length` is signed too but not listed, because browsers
    /// set it.
    pub headers: Vec<(String, String)>,
    /// Expiry of the URL.
    pub expires_at: Timestamp,
}

/// Signs URLs locally, without a request to the store.
#[async_trait]
pub trait Presigner: Send + Sync {
    /// Signs a URL for an upload that does not replace an existing object.
    async fn put(&self, grant: &PutGrant) -> Result<PresignedUrl, Unavailable>;

    /// Signs a URL for a part. It replaces the part if it was sent before.
    async fn part(&self, grant: &PartGrant) -> Result<PresignedUrl, Unavailable>;

    /// Returns true if the URLs of [`Self::put`] can't replace an object. Where they can, files are sent in parts, which
    /// only the servers complete.
    fn protects_objects(&self) -> bool {
        true
    }

    /// Signs a URL to read an object.
    async fn get(&self, grant: &ReadGrant) -> Result<PresignedUrl, Unavailable>;
}
