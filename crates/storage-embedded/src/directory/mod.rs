//! Objects as files; what is on the disk when. Everything here blocks.

mod layout;
mod publication;
mod record;
mod spool;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use s3s::crypto::{Checksum as _, Sha256};

pub use layout::OpenError;
pub(crate) use publication::Publication;
pub(crate) use record::{MAX_RECORD_BYTES, ObjectHeaders, ObjectRecord};
pub(crate) use spool::Received;

/// The open directory of one bucket; its lock is held as long as this lives.
#[derive(Debug)]
pub(crate) struct Directory {
    incoming: PathBuf,
    bucket: PathBuf,
    _lock: File,
}

/// An object as it was when it was opened: replacing or deleting it later changes nothing here.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Its bytes are the first `size` of the file.
    pub(crate) file: File,
    pub(crate) size: u64,
    pub(crate) record: ObjectRecord,
}

/// Where one key's object is, if there is one.
struct Place {
    shard: PathBuf,
    file: PathBuf,
}

impl Directory {
    /// The object under `key`.
    ///
    /// # Errors
    /// `InvalidData` if its file is damaged.
    pub(crate) fn find(&self, key: &str) -> io::Result<Option<Stored>> {
        let file = match File::open(self.place(key).file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (record, size) = record::read(&file)?;
        if record.key != key {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the object belongs to another key",
            ));
        }
        Ok(Some(Stored { file, size, record }))
    }

    /// The object under `key`, which is certain to survive a crash from here on.
    pub(crate) fn find_settled(&self, key: &str) -> io::Result<Option<Stored>> {
        let stored = self.find(key)?;
        if stored.is_some() {
            // Whoever put it here may not have come to this yet, and the caller is about to promise that it is there.
            sync_directory(&self.place(key).shard)?;
        }
        Ok(stored)
    }

    /// Removes the object under `key`; none being there is as good.
    pub(crate) fn remove(&self, key: &str) -> io::Result<()> {
        let place = self.place(key);
        match fs::remove_file(&place.file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Also when it was gone before: it may have gone only just now, and not for good yet.
        sync_directory(&place.shard)
    }

    fn place(&self, key: &str) -> Place {
        let name = hex::encode(Sha256::checksum(key.as_bytes()));
        let shard = self.bucket.join(name.get(..2).unwrap_or_default());
        let file = shard.join(name);
        Place { shard, file }
    }
}

/// Makes the names in a directory survive a crash.
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
