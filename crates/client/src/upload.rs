use bytes::Bytes;
use rapidphoto_api_types::FileRequest;

/// A file in memory that waits to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// What it is called.
    pub filename: String,
    /// Its type.
    pub mime_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl NewUpload {
    /// A file with these bytes.
    pub fn new(filename: impl Into<String>, mime_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self {
            filename: filename.into(),
            mime_type: mime_type.into(),
            bytes: bytes.into(),
        }
    }

    /// Its description for the API.
    pub fn file(&self) -> FileRequest {
        FileRequest {
            filename: self.filename.clone(),
            mime_type: self.mime_type.clone(),
            bytes: self.bytes.len() as u64,
            upload_id: None,
            checksum: None,
        }
    }
}
