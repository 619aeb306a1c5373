//! Uploads in parts: `multipart/<id>/upload` describes the object, `multipart/<id>/<number>` is a part.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;

use super::durability::{sync_directory, sync_file};
use super::objects::Directory;
use super::record::{self, Creation, ObjectHeaders, PartRecord};
use super::spool::ReceivedUpload;

/// File in the directory of an upload that describes it.
const DESCRIPTION: &str = "upload";

/// An open upload in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MultipartUpload {
    pub(crate) key: String,
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub(crate) opened: DateTime<Utc>,
    #[serde(default)]
    pub(crate) headers: ObjectHeaders,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
    /// Algorithm of the checksums that the client wants, and their type, by the names that S3 has for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<(String, String)>,
}

/// An open part. Replacing the part or completing the upload later does not change this one.
#[derive(Debug)]
pub(crate) struct StoredPart {
    /// File whose first `size` bytes are the part's data.
    pub(crate) file: File,
    pub(crate) size: u64,
    pub(crate) record: PartRecord,
}

impl Directory {
    /// Creates an upload, durably. `id` must be unique.
    pub(crate) fn create_upload(&self, id: &str, upload: &MultipartUpload) -> io::Result<()> {
        let (new, path) = (self.incoming.join(id), self.upload_path(id)?);
        let created = self.write_upload(&new, &path, upload);
        if created.is_err() {
            // The error is the one to report; the next start removes what is left.
            let _ = fs::remove_dir_all(&new);
        }
        created
    }

    fn write_upload(&self, new: &Path, path: &Path, upload: &MultipartUpload) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(new)?;
        let description = new.join(DESCRIPTION);
        let mut file = File::create_new(&description)?;
        file.write_all(&serde_json::to_vec(upload)?)?;
        sync_file(&file, &description)?;
        sync_directory(new)?;
        fail::fail_point!("s3.before-open", |_| std::process::abort());
        fs::rename(new, path)?;
        sync_directory(&self.multipart)
    }

    /// Reads the description of an upload; `None` if it is completed, aborted or was never there.
    pub(crate) fn find_upload(&self, id: &str) -> io::Result<Option<MultipartUpload>> {
        let Ok(path) = self.upload_path(id) else {
            return Ok(None);
        };
        match fs::read(path.join(DESCRIPTION)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores a part, durably, and replaces an earlier one with the same number. Returns false if the upload is completed or
    /// aborted.
    pub(crate) fn publish_part(
        &self,
        received: ReceivedUpload,
        id: &str,
        number: u16,
        record: &PartRecord,
    ) -> io::Result<bool> {
        let path = self.upload_path(id)?;
        let temporary = received.write_trailer(record)?;
        fail::fail_point!("s3.before-part", |_| std::process::abort());
        match fs::rename(temporary.path(), path.join(part_name(number))) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        fail::fail_point!("s3.after-part", |_| std::process::abort());
        match sync_directory(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            synced => synced.map(|()| true),
        }
    }

    /// Opens a part; `None` if it does not exist.
    ///
    /// # Errors
    /// `InvalidData` if its file is damaged.
    pub(crate) fn find_part(&self, id: &str, number: u16) -> io::Result<Option<StoredPart>> {
        match File::open(self.upload_path(id)?.join(part_name(number))) {
            Ok(file) => {
                let (record, size) = record::read(&file)?;
                Ok(Some(StoredPart { file, size, record }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Numbers of an upload's parts, ascending; none if there is no such upload.
    pub(crate) fn part_numbers(&self, id: &str) -> io::Result<Vec<u16>> {
        let mut numbers = Vec::new();
        for name in names(self.upload_path(id)?)? {
            numbers.extend(name.parse::<u16>());
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Waits until no other completion or abort of this upload is in progress.
    pub(crate) async fn lock_upload(&self, id: &str) -> OwnedMutexGuard<()> {
        self.upload_locks.lock(id).await
    }

    /// Removes an upload and its parts. Returns false if there is none.
    pub(crate) fn remove_upload(&self, id: &str) -> io::Result<bool> {
        let Ok(path) = self.upload_path(id) else {
            return Ok(false);
        };
        // The upload vanishes at once; after a crash, the next start removes the rest.
        let removed = self.incoming.join(format!("{id}.removed"));
        match fs::rename(&path, &removed) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        sync_directory(&self.multipart)?;
        fail::fail_point!("s3.after-removal", |_| std::process::abort());
        if let Err(error) = fs::remove_dir_all(&removed) {
            tracing::warn!(path = %removed.display(), %error, "can't remove an upload in parts; the next start removes it");
        }
        Ok(true)
    }

    /// Ids and descriptions of all open uploads, in any order.
    pub(crate) fn uploads(&self) -> io::Result<Vec<(String, MultipartUpload)>> {
        let mut uploads = Vec::new();
        for id in names(self.multipart.clone())? {
            match self.find_upload(&id) {
                Ok(Some(upload)) => uploads.push((id, upload)),
                Ok(None) => {}
                Err(error) if is_damage(&error) => {
                    tracing::error!(id, %error, "an upload in parts is left out, because its description is damaged");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(uploads)
    }

    /// Removes uploads whose object was published before a crash.
    pub(super) fn remove_completed_uploads(&self) -> io::Result<()> {
        for (id, upload) in self.uploads()? {
            // Durable, because its parts are removed.
            match self.find_durable(&upload.key) {
                Ok(Some(object)) if object.record.creation == Creation::Multipart(id.clone()) => {
                    self.remove_upload(&id)?;
                }
                Ok(_) => {}
                // Reported when it is read.
                Err(error) if is_damage(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// # Errors
    /// `NotFound` if the id is not one of this store's, which might lead out of the directory.
    fn upload_path(&self, id: &str) -> io::Result<PathBuf> {
        let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id {
            Ok(self.multipart.join(id))
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

fn part_name(number: u16) -> String {
    format!("{number:05}")
}

/// Names in a directory; none if it does not exist.
fn names(directory: PathBuf) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
    names.filter_map(Result::transpose).collect()
}
