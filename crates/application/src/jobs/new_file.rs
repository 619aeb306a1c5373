use std::num::NonZeroU64;

use rapidphoto_domain::{
    photo::{Check, Declared, Policy},
    values::{Checksum, Filename, MimeType, UploadId},
};

use crate::settings::Settings;

/// A file as the client describes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RawFile {
    /// Name of the file.
    pub filename: String,
    /// Media type.
    pub mime_type: String,
    /// Length in bytes.
    pub bytes: u64,
    /// The client's own name for the file.
    pub upload_id: Option<String>,
    /// Algorithm and value of the checksum.
    pub checksum: Option<(String, String)>,
}

/// A file whose description is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Name of the file.
    pub filename: Filename,
    /// Declared type and length.
    pub declared: Declared,
    /// Declared SHA-256, if the client knows it.
    pub checksum: Option<Checksum>,
    /// The client's own name for the file.
    pub upload_id: Option<UploadId>,
    /// Size of the parts, in bytes, if the file is sent in parts.
    pub part_size: Option<NonZeroU64>,
}

/// A problem with one file of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// Index of the file in the batch, from 0.
    pub index: usize,
    /// The invalid field as the client names it; a path such as `checksum/value`.
    pub field: &'static str,
    /// Stable code of the problem.
    pub code: &'static str,
    /// Explanation for people.
    pub message: String,
}

impl RawFile {
    /// Validates a file's description.
    pub(super) fn parse(&self, index: usize, settings: &Settings) -> Result<NewFile, FileProblem> {
        let problem = |field, code, message: String| FileProblem {
            index,
            field,
            code,
            message,
        };
        let mime_type = self.mime_type.parse::<MimeType>();
        // A wrong name is reported first, whatever the type.
        let named_as = *mime_type.as_ref().unwrap_or(&MimeType::Jpeg);
        let filename = Filename::parse_declared(&self.filename, named_as)
            .map_err(|why| problem("filename", "invalid_filename", why.to_string()))?;
        let uploads = &settings.uploads;
        // A policy that lets unreadable files pass stores them without thumbnails.
        let accepted = match settings.checks.policies.policy(Check::UnsupportedFormat) {
            Policy::Reject => uploads.readable_types,
            Policy::Off | Policy::Warn => &MimeType::ALL,
        };
        let mime_type = mime_type.ok().filter(|mime_type| accepted.contains(mime_type));
        let mime_type = mime_type.ok_or_else(|| {
            let accepted: Vec<_> = accepted.iter().map(|accepted| accepted.as_str()).collect();
            let accepted = accepted.join(", ");
            let message = format!(
                "the type must be one of {accepted}, not `{:.100}`",
                self.mime_type
            );
            problem("mimeType", "unsupported_type", message)
        })?;
        if self.bytes == 0 {
            return Err(problem(
                "bytes",
                "empty_file",
                "a photo has at least one byte".to_owned(),
            ));
        }
        if self.bytes > uploads.max_file_bytes {
            let message = format!("a file has at most {} bytes", uploads.max_file_bytes);
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
        };
        Ok(NewFile {
            filename,
            declared,
            checksum: checksum.transpose()?,
            upload_id,
            part_size: None,
        })
    }
}
