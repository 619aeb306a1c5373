use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::Checksum;
use serde::Serialize;

use super::durability::sync_file;
use super::objects::Directory;
use super::record;

/// Size in bytes of the buffer for copies of stored data.
const COPY_BYTES: usize = 1 << 20;

/// Digests computed while an upload is written.
#[derive(Default)]
pub(crate) struct Digests {
    pub(crate) md5: Option<Md5>,
    pub(crate) checksums: ChecksumHasher,
}

/// An upload that is being written. Dropping it removes its file.
pub(crate) struct Spool {
    file: File,
    temporary: TemporaryFile,
    written: u64,
    digests: Digests,
}

/// An upload that is completely written, with its digests, and not published yet. Dropping it removes its file.
pub(crate) struct ReceivedUpload {
    file: File,
    temporary: TemporaryFile,
    pub(crate) size: u64,
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) checksums: Checksum,
}

/// A file that is removed when the value is dropped.
pub(super) struct TemporaryFile {
    path: PathBuf,
}

impl Directory {
    /// Creates an empty upload. `name` must be unique.
    pub(crate) fn spool(&self, name: u128, digests: Digests) -> io::Result<Spool> {
        let path = self.incoming.join(format!("{name:032x}"));
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok(Spool {
            file,
            temporary: TemporaryFile { path },
            written: 0,
            digests,
        })
    }
}

impl Directory {
    /// Writes, syncs and removes a file where uploads are written. `name` must be unique.
    pub(crate) fn check_write(&self, name: u128) -> io::Result<()> {
        let spool = self.spool(name, Digests::default())?;
        let spool = spool.append(b"a test of this directory")?;
        sync_file(&spool.file, spool.temporary.path())
    }
}

impl Spool {
    /// Writes a block and updates the digests. On an error the upload is dropped, which removes its file.
    pub(crate) fn append(mut self, block: &[u8]) -> io::Result<Self> {
        fail::fail_point!("s3.write", |_| Err(io::Error::from(io::ErrorKind::StorageFull)));
        self.file.write_all(block)?;
        if let Some(md5) = &mut self.digests.md5 {
            md5.update(block);
        }
        self.digests.checksums.update(block);
        self.written = self.written.saturating_add(block.len() as u64);
        Ok(self)
    }

    /// Writes a range of a stored file's data, as [`append`](Self::append) does.
    ///
    /// # Errors
    /// `InvalidData` if the file is shorter.
    pub(crate) fn append_file(mut self, mut source: &File, range: Range<u64>) -> io::Result<Self> {
        source.seek(SeekFrom::Start(range.start))?;
        let mut left = range.end.saturating_sub(range.start);
        let mut source = source.take(left);
        let mut buffer = vec![0; COPY_BYTES];
        while left > 0 {
            let read = source.read(&mut buffer)?;
            match buffer.get(..read) {
                Some(block) if read > 0 => self = self.append(block)?,
                _ => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "a stored file is damaged: it is too short",
                    ));
                }
            }
            left = left.saturating_sub(read as u64);
        }
        Ok(self)
    }

    /// Completes the digests after the last byte.
    pub(crate) fn finish(self) -> ReceivedUpload {
        ReceivedUpload {
            file: self.file,
            temporary: self.temporary,
            size: self.written,
            md5: self.digests.md5.map(Md5::finalize),
            checksums: self.digests.checksums.finalize(),
        }
    }
}

impl ReceivedUpload {
    /// Appends the record to the data and syncs the file, so that both survive a crash.
    pub(super) fn write_trailer(mut self, record: &impl Serialize) -> io::Result<TemporaryFile> {
        self.file.write_all(&record::trailer(record, self.size)?)?;
        sync_file(&self.file, self.temporary.path())?;
        Ok(self.temporary)
    }
}

impl TemporaryFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        match fs::remove_file(&self.path) {
            Ok(()) => {}
            // The file was renamed when it was published.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "can't remove the file of an upload; the next start removes it");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_an_upload_removes_its_file() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        let incoming = || fs::read_dir(root.path().join("incoming")).unwrap().count();

        let spool = directory.spool(1, Digests::default()).unwrap();
        assert_eq!(incoming(), 1);
        let spool = spool.append(b"ab").unwrap();
        drop(spool.finish());
        assert_eq!(incoming(), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_fails_the_upload_and_removes_its_file() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("upload");
        File::create(&path).unwrap();
        let spool = Spool {
            // Every write to this device fails with ENOSPC.
            file: File::options().write(true).open("/dev/full").unwrap(),
            temporary: TemporaryFile { path: path.clone() },
            written: 0,
            digests: Digests::default(),
        };
        let Err(error) = spool.append(b"ab") else {
            panic!("the disk is full")
        };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(!path.exists());
    }
}
