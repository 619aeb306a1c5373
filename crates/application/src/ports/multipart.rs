use async_trait::async_trait;
use rapidphoto_domain::{
    Timestamp,
    values::{ETag, MultipartId, PartNumber},
};

use super::Unavailable;

/// Uploads of objects in parts. Clients send the parts by URLs of [`Presigner::part`](super::Presigner::part).
#[async_trait]
pub trait MultipartUploads: Send + Sync {
    /// Opens an upload.
    async fn open(&self, key: &str, content_type: &str) -> Result<MultipartId, Unavailable>;

    /// All parts in storage, ascending by number; `None` if there is no such upload: it was completed or aborted, or never
    /// opened.
    async fn parts(&self, key: &str, upload: &MultipartId) -> Result<Option<Vec<StoredPart>>, Unavailable>;

    /// Makes an object of these parts, ascending by number, if there is no object with the key.
    async fn complete(
        &self,
        key: &str,
        upload: &MultipartId,
        parts: &[PartReference],
    ) -> Result<(), CompleteError>;

    /// Removes the upload and its parts; succeeds if there is no such upload. A part whose request began before may be
    /// stored afterwards, and is removed by a later call.
    async fn abort(&self, key: &str, upload: &MultipartId) -> Result<(), Unavailable>;

    /// A page of the open uploads whose keys begin with `prefix`, after `after`, in the store's order.
    async fn list(&self, prefix: &str, after: Option<&MultipartCursor>)
    -> Result<MultipartPage, Unavailable>;
}

/// Part in storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// Number of the part.
    pub number: PartNumber,
    /// Entity tag of the bytes that were sent last.
    pub e_tag: ETag,
    /// Size in bytes.
    pub bytes: u64,
}

/// Part to make an object of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartReference {
    /// Number of the part.
    pub number: PartNumber,
    /// Entity tag that the part must have.
    pub e_tag: ETag,
}

/// Upload that is neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// Key of the object.
    pub key: String,
    /// Identifier of the upload.
    pub id: MultipartId,
    /// Time at which the upload was opened.
    pub opened_at: Timestamp,
}

/// Position in the list of open uploads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MultipartCursor {
    /// Key of the last upload of a page.
    pub key: String,
    /// Identifier of that upload.
    pub id: MultipartId,
}

/// Page of the list of open uploads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultipartPage {
    /// Uploads in the store's order.
    pub uploads: Vec<OpenUpload>,
    /// Position of the next page; `None` if this is the last one.
    pub next: Option<MultipartCursor>,
}

/// Reasons why no object was made of parts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompleteError {
    /// The upload was completed or aborted, or never opened.
    #[error("there is no such upload in parts")]
    NoSuchUpload,
    /// There is an object with the key, or one is being stored.
    #[error("there is an object already")]
    Exists,
    /// A part does not exist, has another entity tag or is too small, or the parts are not in ascending order.
    #[error("a part is missing, changed or too small")]
    InvalidPart,
    /// Object storage is unavailable. The object may or may not have been made.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
