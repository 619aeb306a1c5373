use rapidphoto_domain::{
    photo::Declared,
    values::{Checksum, Filename, MimeType, UploadId},
};

use crate::settings::UploadSettings;

/// A file as the client describes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RawFile {
    /// What it is called.
    pub filename: String,
    /// Its type.
    pub mime_type: String,
    /// Its length.
    pub bytes: u64,
    /// The client's own name for it.
    pub upload_id: Option<String>,
    /// Its checksum: the algorithm and the value.
    pub checksum: Option<(String, String)>,
}

/// A file that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// What it is called.
    pub filename: Filename,
    /// What is promised.
    pub declared: Declared,
    /// The client's own name for it.
    pub upload_id: Option<UploadId>,
}

/// What is wrong with one file of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file's place in the batch, from 0.
    pub index: usize,
    /// The field that is wrong, as on the wire; a path such as `checksum/value`.
    pub field: &'static str,
    /// A stable code.
    pub code: &'static str,
    /// What a person is told.
    pub message: String,
}

impl RawFile {
    /// Reads a file's description.
    pub(super) fn parse(&self, index: usize, settings: &UploadSettings) -> Result<NewFile, FileProblem> {
        let problem = |field, code, message: String| FileProblem {
            index,
            field,
            code,
            message,
        };
        let filename = Filename::parse(&self.filename)
            .map_err(|why| problem("filename", "invalid_filename", why.to_string()))?;
        let mime_type = self
            .mime_type
            .parse::<MimeType>()
            .map_err(|why| problem("mimeType", "unsupported_type", why.to_string()))?;
        if self.bytes == 0 {
            return Err(problem(
                "bytes",
                "empty_file",
                "a photo has at least one byte".to_owned(),
            ));
        }
        if self.bytes > settings.max_file_bytes {
            let message = format!("a file has at most {} bytes", settings.max_file_bytes);
            return Err(problem("bytes", "too_large", message));
        }
        let upload_id = self
            .upload_id
            .as_deref()
            .map(str::parse::<UploadId>)
            .transpose()
            .map_err(|why| problem("uploadId", "invalid_upload_id", why.to_string()))?;
        let checksum = self.checksum.as_ref().map(|(algorithm, value)| {
            if algorithm != Checksum::ALGORITHM {
                let message = "the algorithm is sha256".to_owned();
                return Err(problem("checksum/algo", "unsupported_algorithm", message));
            }
            value
                .parse::<Checksum>()
                .map_err(|why| problem("checksum/value", "invalid_checksum", why.to_string()))
        });
        let declared = Declared {
            mime_type,
            bytes: self.bytes,
            checksum: checksum.transpose()?,
        };
        Ok(NewFile {
            filename,
            declared,
            upload_id,
        })
    }
}
