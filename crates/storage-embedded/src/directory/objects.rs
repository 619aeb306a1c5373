use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use s3s::crypto::{Checksum as _, Sha256};

use super::durability::{Step, step, sync_directory};
use super::keys::KeyIndex;
use super::precondition::Precondition;
use super::record::{self, ObjectRecord};
use super::upload_locks::UploadLocks;

/// Open directory of one bucket, locked until this value is dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(super) incoming: PathBuf,
    pub(super) bucket: PathBuf,
    /// Uploads in parts.
    pub(super) multipart: PathBuf,
    pub(super) keys: KeyIndex,
    pub(super) upload_locks: UploadLocks,
    /// Held while a precondition is checked and an object replaced or removed.
    pub(super) replacing: Mutex<()>,
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

/// Result of removing an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    /// There is no object.
    Done,
    /// The object has another ETag and was kept.
    Changed,
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
        let (record, size) = record::read::<ObjectRecord>(&file)?;
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

    /// Removes the object stored under `key`, if it fulfils the precondition. Succeeds if there is none.
    pub(crate) fn remove(&self, key: &str, precondition: &Precondition) -> io::Result<Removal> {
        let (removal, path) = self.unlink(key, precondition)?;
        // Needed for a missing file, too: a concurrent removal may not have been synced yet.
        sync_directory(&path.shard)?;
        Ok(removal)
    }

    /// Removes objects as [`remove`](Self::remove) does. Syncs each directory once.
    pub(crate) fn remove_all<'a>(
        &self,
        objects: impl IntoIterator<Item = (&'a str, &'a Precondition)>,
    ) -> io::Result<Vec<io::Result<Removal>>> {
        let mut shards = BTreeSet::new();
        let mut removals = Vec::new();
        for (key, precondition) in objects {
            removals.push(self.unlink(key, precondition).map(|(removal, path)| {
                shards.insert(path.shard);
                removal
            }));
        }
        for shard in shards {
            sync_directory(&shard)?;
        }
        Ok(removals)
    }

    fn unlink(&self, key: &str, precondition: &Precondition) -> io::Result<(Removal, ObjectPath)> {
        let path = self.path(key);
        let replacing = self.lock_objects();
        if let Precondition::Match(Some(etag)) = precondition
            && let Some(existing) = self.find(key)?
            && existing.record.etag != *etag
        {
            return Ok((Removal::Changed, path));
        }
        match fs::remove_file(&path.file) {
            Ok(()) => step(Step::Removed, &path.file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        drop(replacing);
        self.keys.refresh(key, &path.file);
        Ok((Removal::Done, path))
    }

    pub(super) fn lock_objects(&self) -> MutexGuard<'_, ()> {
        self.replacing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time of the creation of the bucket's directory.
    pub(crate) fn created(&self) -> io::Result<DateTime<Utc>> {
        let created = fs::metadata(&self.bucket)?;
        Ok(created.created().or_else(|_| created.modified())?.into())
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
