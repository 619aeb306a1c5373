use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::durability::{sync_directory, sync_file};
use super::keys::KeyIndex;
use super::objects::Directory;
use super::upload_locks::UploadLocks;

/// Content of the file `layout`: the only layout version that this code reads and writes.
pub(super) const LAYOUT: &str = "rapidphoto objects 1\n";

/// An embedded store can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The configuration is invalid.
    #[error("the embedded store's configuration is invalid: {0}")]
    Configuration(&'static str),
    /// Another process has the directory open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The directory was written by a version with another layout.
    #[error("{} has the unknown layout {found:?}; expected {:?}", .root.display(), LAYOUT)]
    UnknownLayout {
        /// Root directory.
        root: PathBuf,
        /// Content of its file `layout`.
        found: String,
    },
    /// The file system has no hard links, which conditional writes need.
    #[error("{} is on a file system without hard links; use one that supports them", .0.display())]
    NoHardLinks(PathBuf),
    /// A file or directory can't be read, created or written.
    #[error("{} can't be read or written", .path.display())]
    Io {
        /// Affected file or directory.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
}

impl Directory {
    /// Creates and locks the directory, and removes the files of unfinished uploads.
    pub(crate) fn open(root: &Path, bucket: &str) -> Result<Self, OpenError> {
        create_directory(root)?;
        let lock = lock(root)?;
        check_layout(root)?;

        let incoming = root.join("incoming");
        create_directory(&incoming)?;
        remove_unfinished_uploads(&incoming)?;
        check_hard_links(&incoming)?;

        let multipart = root.join("multipart");
        create_directory(&multipart)?;
        let buckets = root.join("buckets");
        create_directory(&buckets)?;
        let bucket = buckets.join(bucket);
        create_directory(&bucket)?;
        for shard in 0..=u8::MAX {
            create_private_directory(&bucket.join(hex::encode([shard])))?;
        }
        sync(&bucket)?;
        let directory = Self {
            incoming,
            bucket,
            multipart,
            keys: KeyIndex::default(),
            upload_locks: UploadLocks::default(),
            replacing: Mutex::default(),
            _lock: lock,
        };
        let completed = directory.remove_completed_uploads();
        completed.map_err(io_error(&directory.multipart))?;
        Ok(directory)
    }
}

/// Creates a directory and its parents so that they survive a crash.
pub(super) fn create_directory(path: &Path) -> Result<(), OpenError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    create_directory(parent)?;
    create_private_directory(path)?;
    sync(parent)
}

/// Creates a directory that only the current user can read, because photos are private.
fn create_private_directory(path: &Path) -> Result<(), OpenError> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(io_error(path)(error)),
    }
}

/// Locks the root. The operating system releases the lock when the process ends, also after a crash.
fn lock(root: &Path) -> Result<File, OpenError> {
    let path = root.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(io_error(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(root.to_owned())),
        Err(TryLockError::Error(error)) => Err(io_error(&path)(error)),
    }
}

fn check_layout(root: &Path) -> Result<(), OpenError> {
    let path = root.join("layout");
    match fs::read_to_string(&path) {
        Ok(found) if found == LAYOUT => Ok(()),
        Ok(found) => Err(OpenError::UnknownLayout {
            root: root.to_owned(),
            found,
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let new = root.join("layout.new");
            let write = |file: &mut File| {
                file.write_all(LAYOUT.as_bytes())
                    .and_then(|()| sync_file(file, &new))
            };
            File::create(&new)
                .and_then(|mut file| write(&mut file))
                .map_err(io_error(&new))?;
            fs::rename(&new, &path).map_err(io_error(&path))?;
            sync(root)
        }
        Err(error) => Err(io_error(&path)(error)),
    }
}

fn remove_unfinished_uploads(incoming: &Path) -> Result<(), OpenError> {
    let mut removed = 0_usize;
    for entry in fs::read_dir(incoming).map_err(io_error(incoming))? {
        let path = entry.map_err(io_error(incoming))?.path();
        // Uploads in parts are directories.
        let removal = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removal {
            Ok(()) => removed += 1,
            // A store that has just stopped may still be removing its unfinished uploads.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error(&path)(error)),
        }
    }
    if removed > 0 {
        tracing::info!(removed, "removed unfinished uploads");
    }
    sync(incoming)
}

/// Creates a hard link, so that a file system without them is an error now and not at the first conditional write.
fn check_hard_links(incoming: &Path) -> Result<(), OpenError> {
    let (one, other) = (incoming.join("link.a"), incoming.join("link.b"));
    File::create(&one).map_err(io_error(&one))?;
    let linked = fs::hard_link(&one, &other);
    fs::remove_file(&one).map_err(io_error(&one))?;
    linked.map_err(|error| {
        tracing::error!(%error, "can't create a hard link");
        OpenError::NoHardLinks(incoming.to_owned())
    })?;
    fs::remove_file(&other).map_err(io_error(&other))
}

pub(super) fn sync(path: &Path) -> Result<(), OpenError> {
    sync_directory(path).map_err(io_error(path))
}

pub(super) fn io_error(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_store_cannot_open_the_same_directory() {
        let root = tempfile::tempdir().unwrap();
        let first = Directory::open(root.path(), "photos").unwrap();
        assert!(matches!(
            Directory::open(root.path(), "photos"),
            Err(OpenError::InUse(_))
        ));
        drop(first);
        Directory::open(root.path(), "photos").unwrap();
    }

    #[test]
    fn an_unknown_layout_is_an_error_and_changes_nothing() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("layout"), "rapidphoto objects 2\n").unwrap();
        let result = Directory::open(root.path(), "photos");
        assert!(matches!(result, Err(OpenError::UnknownLayout { found, .. }) if found.ends_with("2\n")));
        assert!(!root.path().join("incoming").exists());
    }

    #[test]
    fn opening_removes_unfinished_uploads() {
        let root = tempfile::tempdir().unwrap();
        drop(Directory::open(root.path(), "photos").unwrap());
        let unfinished = root.path().join("incoming").join("left");
        fs::write(&unfinished, "half").unwrap();
        drop(Directory::open(root.path(), "photos").unwrap());
        assert!(!unfinished.exists());
    }

    #[test]
    fn opening_creates_the_root_and_its_parents() {
        let root = tempfile::tempdir().unwrap();
        Directory::open(&root.path().join("a/b/c"), "photos").unwrap();
        assert!(root.path().join("a/b/c/buckets/photos/ff").is_dir());
    }
}
