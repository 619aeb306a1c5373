use std::{
    collections::BTreeMap,
    fs::Metadata,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use anyhow::Context as _;
use rapidphoto_client::types::PhotoStatus;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{directory::StateDir, login::Login};

/// Size and time of the last change of a file; with the same ones, its content is not read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileKey {
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// Nanoseconds since 1970; 0 for older files.
    pub(crate) modified: u64,
}

impl FileKey {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            bytes: metadata.len(),
            modified: modified.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        }
    }
}

/// File of this or an earlier run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KnownUpload {
    /// Size and time of the last change.
    #[serde(flatten)]
    pub(crate) key: FileKey,
    /// SHA-256 of the content, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Number of earlier uploads of this content that failed for good or were cancelled.
    #[serde(default)]
    pub(crate) attempt: u32,
    /// Upload id, once declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upload_id: Option<String>,
    /// Job, once declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) job_id: Option<String>,
    /// Photo, once declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) photo_id: Option<String>,
    /// Last known status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<PhotoStatus>,
}

/// Uploads of an account on a server, by absolute path. A loss costs time only: the content is read again, and the server
/// knows the rest by the upload ids, which follow from the content.
#[derive(Debug)]
pub(crate) struct UploadsFile {
    directory: StateDir,
    name: String,
}

type Uploads = BTreeMap<PathBuf, KnownUpload>;

impl UploadsFile {
    pub(crate) fn of(directory: &StateDir, login: &Login) -> Self {
        let digest = Sha256::digest(format!("{}\n{}", login.server, login.email));
        let account = hex::encode(digest.first_chunk::<8>().unwrap_or(&[0; 8]));
        Self {
            directory: directory.clone(),
            name: format!("uploads-{account}.json"),
        }
    }

    /// Uploads of earlier runs.
    pub(crate) fn load(&self) -> anyhow::Result<Uploads> {
        let file = self.directory.lock(&self.name)?;
        let content = file
            .read()
            .with_context(|| format!("{} can't be read", file.path().display()))?;
        // A malformed file is replaced.
        Ok(content
            .and_then(|content| serde_json::from_slice(&content).ok())
            .unwrap_or_default())
    }

    /// Adds or replaces these uploads. Those that other processes have stored meanwhile stay.
    pub(crate) fn store<'a>(
        &self,
        changed: impl IntoIterator<Item = (&'a Path, KnownUpload)>,
    ) -> anyhow::Result<()> {
        let mut file = self.directory.lock(&self.name)?;
        let path = file.path();
        let content = file.read()?;
        let stored = content.and_then(|content| serde_json::from_slice(&content).ok());
        let mut uploads: Uploads = stored.unwrap_or_default();
        uploads.extend(
            changed
                .into_iter()
                .map(|(path, upload)| (path.to_owned(), upload)),
        );
        file.write(&serde_json::to_vec(&uploads)?)
            .with_context(|| format!("{} can't be written", path.display()))
    }
}
