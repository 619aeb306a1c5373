use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use s3s::crypto::{Checksum as _, Sha256};

use super::durability::{Step, step, sync_directory};
use super::record::{self, ObjectRecord};

/// Open directory of one bucket, locked until this value is dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(super) incoming: PathBuf,
    pub(super) bucket: PathBuf,
    pub(super) _lock: File,
}

/// An open object. Replacing or deleting the object later does not change this one.
#[derive(Debug)]
pub(crate) struct StoredObject {
    /// File whose first `size` bytes are the object's data.
    pub(crate) file: File,
    pub(crate) size: u64,
    pub(crate) record: ObjectRecord,
}

/// File-system path of one key's object, which may or may not exist.
pub(super) struct ObjectPath {
    pub(super) shard: PathBuf,
    pub(super) file: PathBuf,
}

impl Directory {
    /// Opens the object stored under `key`.
    ///
    /// # Errors
    /// `InvalidData` if its file is damaged.
    pub(crate) fn find(&self, key: &str) -> io::Result<Option<StoredObject>> {
        let file = match File::open(self.path(key).file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (record, size) = record::read(&file)?;
        if record.key != key {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the object's file is damaged: it holds another key",
            ));
        }
        Ok(Some(StoredObject { file, size, record }))
    }

    /// Like [`find`](Self::find), and makes sure that the object survives a crash.
    pub(crate) fn find_durable(&self, key: &str) -> io::Result<Option<StoredObject>> {
        let stored = self.find(key)?;
        if stored.is_some() {
            // The upload that created the object may not have synced the directory yet, and the caller is about to
            // report the object as stored.
            sync_directory(&self.path(key).shard)?;
        }
        Ok(stored)
    }

    /// Removes the object stored under `key`. Succeeds if there is none.
    pub(crate) fn remove(&self, key: &str) -> io::Result<()> {
        let path = self.path(key);
        match fs::remove_file(&path.file) {
            Ok(()) => step(Step::Removed, &path.file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Needed for a missing file, too: a concurrent removal may not have been synced yet.
        sync_directory(&path.shard)
    }

    /// Directory of the bucket.
    pub(crate) fn bucket(&self) -> &Path {
        &self.bucket
    }

    pub(super) fn path(&self, key: &str) -> ObjectPath {
        object_path(&self.bucket, key)
    }
}

/// Path of a key's object in the directory of its bucket.
pub(super) fn object_path(bucket: &Path, key: &str) -> ObjectPath {
    let name = hex::encode(Sha256::checksum(key.as_bytes()));
    let shard = bucket.join(name.get(..2).unwrap_or_default());
    let file = shard.join(name);
    ObjectPath { shard, file }
}
