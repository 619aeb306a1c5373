use std::{pin::Pin, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;
use rapidphoto_domain::{
    Timestamp,
    values::{Checksum, ETag, Filename, MimeType},
};

use super::Unavailable;

/// A body in pieces.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Unavailable>> + Send>>;

/// What HEAD says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHead {
    /// What storage calls this state of the object.
    pub e_tag: ETag,
    /// Its length.
    pub bytes: u64,
    /// Its type, as the upload said.
    pub content_type: Option<String>,
    /// Its SHA-256, where storage knows it.
    pub checksum: Option<Checksum>,
}

/// An object that is being read.
pub struct ObjectBody {
    /// Its length, as storage says.
    pub bytes: u64,
    /// Its bytes.
    pub stream: ByteStream,
}

impl std::fmt::Debug for ObjectBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectBody")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// Why an object can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GetError {
    /// It is not there.
    #[error("the object is not there")]
    Missing,
    /// It is there, in another state than wanted.
    #[error("the object has changed")]
    Changed,
    /// Storage can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Reads and writes objects in the deployment's bucket.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// What is stored under a key, if anything.
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable>;

    /// Reads an object, if it is still in the state that `if_match` names.
    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError>;

    /// Stores an object, replacing what was there.
    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable>;

    /// Removes an object; one that is not there is success.
    async fn delete(&self, key: &str) -> Result<(), Unavailable>;

    /// Whether the bucket answers.
    async fn check(&self) -> Result<(), Unavailable>;
}

/// What a client is allowed to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutGrant {
    /// Where to.
    pub key: String,
    /// Exactly this type.
    pub mime_type: MimeType,
    /// Exactly so many bytes.
    pub bytes: u64,
    /// With exactly this SHA-256, where it is known.
    pub checksum: Option<Checksum>,
    /// For how long.
    pub valid_for: Duration,
}

/// What a client is allowed to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadGrant {
    /// From where.
    pub key: String,
    /// Offered for saving under this name, where there is one; shown in place otherwise.
    pub download_as: Option<Filename>,
    /// The type it is served with.
    pub mime_type: MimeType,
    /// For how long.
    pub valid_for: Duration,
}

/// A URL that carries its own permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresignedUrl {
    /// The URL.
    pub url: String,
    /// Headers that the client must send exactly so. `Content-Length` is signed too but not named: browsers set it.
    pub headers: Vec<(String, String)>,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Signs URLs, without asking anybody.
#[async_trait]
pub trait Presigner: Send + Sync {
    /// A URL for one upload that replaces nothing.
    async fn put(&self, grant: &PutGrant) -> Result<PresignedUrl, Unavailable>;

    /// A URL for reading.
    async fn get(&self, grant: &ReadGrant) -> Result<PresignedUrl, Unavailable>;
}
