use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use futures::{StreamExt as _, stream};
use rapidphoto_client::{
    Content,
    types::{DeclaredChecksum, FileRequest, JobItem, PhotoStatus},
};
use sha2::{Digest as _, Sha256};

use super::find::Found;
use crate::state::{FileKey, KnownUpload};

/// Files that are read at the same time.
const READERS: usize = 4;

/// Photo whose content is known.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) found: Found,
    /// SHA-256 of the content, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Number of earlier uploads of this content that failed for good or were cancelled.
    pub(crate) attempt: u32,
}

impl Candidate {
    /// Upload id, a UUID of version 4. It follows from the content, so that the server recognises a repeated upload even if
    /// the state of earlier runs is lost.
    pub(crate) fn upload_id(&self) -> String {
        let Self {
            found,
            sha256,
            attempt,
        } = self;
        let digest = Sha256::digest(format!(
            "rapidphoto upload\n{sha256}\n{}\n{attempt}",
            found.mime_type
        ));
        let bytes = digest.first_chunk::<16>().copied().unwrap_or_default();
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    pub(crate) fn declaration(&self) -> FileRequest {
        FileRequest {
            filename: self.found.name.clone(),
            mime_type: self.found.mime_type.to_owned(),
            bytes: self.found.key.bytes,
            upload_id: Some(self.upload_id()),
            checksum: Some(DeclaredChecksum {
                algo: "sha256".to_owned(),
                value: self.sha256.clone(),
            }),
        }
    }

    pub(crate) fn content(&self) -> Content {
        Content::File {
            path: self.found.absolute.clone(),
            bytes: self.found.key.bytes,
        }
    }

    /// State of this file for later runs.
    pub(crate) fn known(&self) -> KnownUpload {
        KnownUpload {
            key: self.found.key,
            sha256: self.sha256.clone(),
            attempt: self.attempt,
            upload_id: None,
            job_id: None,
            photo_id: None,
            status: None,
        }
    }

    /// State of this file for later runs, once it is declared.
    pub(crate) fn declared(&self, item: &JobItem, status: PhotoStatus) -> KnownUpload {
        KnownUpload {
            upload_id: Some(item.upload_id.clone()),
            job_id: Some(item.job_id.clone()),
            photo_id: Some(item.photo_id.clone()),
            status: Some(status),
            ..self.known()
        }
    }
}

/// Reads the contents of files, except for those that are known and have not changed since.
pub(crate) async fn read_contents(
    found: Vec<Found>,
    known: &BTreeMap<PathBuf, KnownUpload>,
) -> Vec<Result<Candidate, (Found, io::Error)>> {
    let reading = found.into_iter().map(|found| async {
        let unchanged = known.get(&found.absolute).filter(|known| known.key == found.key);
        if let Some(known) = unchanged {
            return Ok(Candidate {
                found,
                sha256: known.sha256.clone(),
                attempt: known.attempt,
            });
        }
        let path = found.absolute.clone();
        let key = found.key;
        let read = tokio::task::spawn_blocking(move || sha256(&path, key)).await;
        match read.map_err(io::Error::other).and_then(|read| read) {
            Ok(sha256) => Ok(Candidate {
                found,
                sha256,
                attempt: 0,
            }),
            Err(error) => Err((found, error)),
        }
    });
    stream::iter(reading).buffered(READERS).collect().await
}

fn sha256(path: &Path, key: FileKey) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        match buffer.get(..read) {
            Some(chunk) if !chunk.is_empty() => digest.update(chunk),
            _ => break,
        }
    }
    if FileKey::of(&file.metadata()?) != key {
        return Err(io::Error::other(
            "the file is being changed; run the command again when it is finished",
        ));
    }
    Ok(hex::encode(digest.finalize()))
}
