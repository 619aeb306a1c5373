use bytes::Bytes;
use rapidphoto_api_types::FileRequest;

/// File in memory, to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// Filename.
    pub filename: String,
    /// MIME type.
    pub mime_type: String,
    /// Content.
    pub bytes: Bytes,
}

impl NewUpload {
    /// Creates an upload of a file.
    pub fn new(filename: impl Into<String>, mime_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self {
            filename: filename.into(),
            mime_type: mime_type.into(),
            bytes: bytes.into(),
        }
    }

    /// Declaration of the file, for [`Session::create_job`](crate::Session::create_job).
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
