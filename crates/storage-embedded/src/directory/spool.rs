use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::Checksum;

use super::{Directory, ObjectRecord};

/// An upload on its way to the disk. Dropping it at any time removes its file.
pub(crate) struct Spool {
    file: File,
    temporary: Temporary,
    written: u64,
    md5: Md5,
    checksums: ChecksumHasher,
}

/// An upload that is on the disk, complete, with its digests, and may yet be refused.
pub(crate) struct Received {
    file: File,
    temporary: Temporary,
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) checksums: Checksum,
}

/// A file that goes away with its value.
pub(super) struct Temporary {
    path: PathBuf,
}

impl Directory {
    /// A new, empty upload; `name` is used by no other. SHA-256 is always among the digests.
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
            temporary: Temporary { path },
            written: 0,
            md5: Md5::new(),
            checksums,
        })
    }
}

impl Spool {
    /// Writes and digests `chunks`. A spool that failed is gone, with its file.
    pub(crate) fn append(mut self, chunks: &[Bytes]) -> io::Result<Self> {
        fail::fail_point!("s3.write", |_| Err(io::Error::from(io::ErrorKind::StorageFull)));
        for chunk in chunks {
            self.file.write_all(chunk)?;
            self.md5.update(chunk);
            self.checksums.update(chunk);
            self.written = self.written.saturating_add(chunk.len() as u64);
        }
        Ok(self)
    }

    /// No more bytes are to come.
    pub(crate) fn finish(self) -> Received {
        Received {
            file: self.file,
            temporary: self.temporary,
            size: self.written,
            md5: self.md5.finalize(),
            checksums: self.checksums.finalize(),
        }
    }
}

impl Received {
    /// Puts the record behind the data; when this answers, all of it survives a crash.
    pub(super) fn seal(mut self, record: &ObjectRecord) -> io::Result<Temporary> {
        self.file.write_all(&record.trailer(self.size)?)?;
        self.file.sync_all()?;
        Ok(self.temporary)
    }
}

impl Temporary {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        match fs::remove_file(&self.path) {
            Ok(()) => {}
            // It has been renamed to its object.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "an upload's file stays until the next start");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_upload_leaves_no_file() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        let incoming = || fs::read_dir(root.path().join("incoming")).unwrap().count();

        let spool = directory.spool(1, ChecksumHasher::default()).unwrap();
        assert_eq!(incoming(), 1);
        let spool = spool.append(&[Bytes::from_static(b"ab")]).unwrap();
        drop(spool.finish());
        assert_eq!(incoming(), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_ends_the_upload_and_leaves_no_file() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("upload");
        File::create(&path).unwrap();
        let spool = Spool {
            // Every write to it fails as on a full disk.
            file: File::options().write(true).open("/dev/full").unwrap(),
            temporary: Temporary { path: path.clone() },
            written: 0,
            md5: Md5::new(),
            checksums: ChecksumHasher::default(),
        };
        let Err(error) = spool.append(&[Bytes::from_static(b"ab")]) else {
            panic!("the disk is full")
        };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(!path.exists());
    }
}
