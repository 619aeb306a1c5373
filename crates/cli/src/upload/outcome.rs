use std::path::PathBuf;

use rapidphoto_client::types::{PhotoStatus, Reason};
use serde::Serialize;

use super::find::Found;
use crate::output::{reasons, status_name};

/// Result for one file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcome {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) photo_id: Option<String>,
    /// Last known status; none if the file was not declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<PhotoStatus>,
    /// True if the file was sent by this run, completely or in part.
    pub(crate) sent: bool,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) warnings: Vec<Reason>,
    /// Error other than the reasons of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

impl Outcome {
    /// Outcome of a file that was not declared.
    pub(crate) fn refused(found: &Found, error: String) -> Self {
        Self::unreadable(found.path.clone(), found.key.bytes, error)
    }

    pub(crate) fn unreadable(path: PathBuf, bytes: u64, error: String) -> Self {
        Self {
            path,
            bytes,
            sha256: None,
            job_id: None,
            photo_id: None,
            status: None,
            sent: false,
            reasons: Vec::new(),
            warnings: Vec::new(),
            error: Some(error),
        }
    }

    pub(crate) fn is_completed(&self) -> bool {
        self.status == Some(PhotoStatus::Completed) && self.error.is_none()
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let path = self.path.display();
        let id = self.photo_id.as_deref().unwrap_or_default();
        match (&self.error, self.status) {
            (Some(error), _) => format!("ERROR      {path}: {error}"),
            (None, Some(PhotoStatus::Completed)) if self.sent => {
                format!("COMPLETED  {path}  {id}{}", self.notes())
            }
            (None, Some(PhotoStatus::Completed)) => format!("COMPLETED  {path}  {id} (there already)"),
            (None, Some(status)) => format!(
                "{:9}  {path}  {id}: {}",
                status_name(status),
                reasons(&self.reasons)
            ),
            (None, None) => format!("ERROR      {path}"),
        }
    }

    fn notes(&self) -> String {
        if self.warnings.is_empty() {
            return String::new();
        }
        format!(" (warning: {})", reasons(&self.warnings))
    }
}
