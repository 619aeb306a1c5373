use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::Checksum;

use super::durability::sync_file;
use super::objects::Directory;
use super::record::ObjectRecord;

/// An upload that is being written. Dropping it removes its file.
pub(crate) struct Spool {
    file: File,
    temporary: TemporaryFile,
    written: u64,
    md5: Md5,
    checksums: ChecksumHasher,
}

/// An upload that is completely written, with its digests, and not published yet. Dropping it removes its file.
pub(crate) struct ReceivedUpload {
    file: File,
    temporary: TemporaryFile,
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) checksums: Checksum,
}

/// A file that is removed when the value is dropped.
pub(super) struct TemporaryFile {
    path: PathBuf,
}

impl Directory {
    /// Creates an empty upload. `name` must be unique. SHA-256 is always computed in addition to `checksums`.
    pub(crate) fn spool(&self, name: u128, mut checksums: ChecksumHasher) -> io::Result<Spool> {
        checksums.sha256.get_or_insert_default();
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
            md5: Md5::new(),
            checksums,
        })
    }
}

impl Directory {
    /// Writes, syncs and removes a file where uploads are written. `name` must be unique.
    pub(crate) fn check_write(&self, name: u128) -> io::Result<()> {
        let spool = self.spool(name, ChecksumHasher::default())?;
        let spool = spool.append(b"a test of this directory")?;
        sync_file(&spool.file, spool.temporary.path())
    }
}

impl Spool {
    /// Writes a block and updates the digests. On an error the upload is dropped, which removes its file.
    pub(crate) fn append(mut self, block: &[u8]) -> io::Result<Self> {
        fail::fail_point!("s3.write", |_| Err(io::Error::from(io::ErrorKind::StorageFull)));
        self.file.write_all(block)?;
        self.md5.update(block);
        self.checksums.update(block);
        self.written = self.written.saturating_add(block.len() as u64);
        Ok(self)
    }

    /// Completes the digests after the last byte.
    pub(crate) fn finish(self) -> ReceivedUpload {
        ReceivedUpload {
            file: self.file,
            temporary: self.temporary,
            size: self.written,
            md5: self.md5.finalize(),
            checksums: self.checksums.finalize(),
        }
    }
}

impl ReceivedUpload {
    /// Appends the record to the data and syncs the file, so that both survive a crash.
    pub(super) fn write_trailer(mut self, record: &ObjectRecord) -> io::Result<TemporaryFile> {
        self.file.write_all(&record.trailer(self.size)?)?;
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

        let spool = directory.spool(1, ChecksumHasher::default()).unwrap();
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
            md5: Md5::new(),
            checksums: ChecksumHasher::default(),
        };
        let Err(error) = spool.append(b"ab") else {
            panic!("the disk is full")
        };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(!path.exists());
    }
}
