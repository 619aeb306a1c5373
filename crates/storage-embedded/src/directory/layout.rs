use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Directory, sync_directory};

/// What the file `layout` says of the arrangement that this code reads and writes.
const LAYOUT: &str = "rapidphoto objects 1\n";

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The set-up can't work.
    #[error("the embedded store's set-up is wrong: {0}")]
    Configuration(&'static str),
    /// Another store has the directory open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The directory was written by a version that arranges objects in another way.
    #[error("{} has an unknown layout: {found:?}", .root.display())]
    UnknownLayout {
        /// The directory.
        root: PathBuf,
        /// What it says of itself.
        found: String,
    },
    /// The file system can't do what the store's promises rest on.
    #[error("{} is on a file system without hard links", .0.display())]
    NoHardLinks(PathBuf),
    /// The directory can't be read or written.
    #[error("{} can't be prepared", .path.display())]
    Io {
        /// The file or directory in question.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Directory {
    /// Opens the directory, alone, and removes what unfinished uploads left behind.
    pub(crate) fn open(root: &Path, bucket: &str) -> Result<Self, OpenError> {
        make_directory(root)?;
        let lock = lock(root)?;
        agree_on_layout(root)?;

        let incoming = root.join("incoming");
        make_directory(&incoming)?;
        empty(&incoming)?;
        try_hard_links(&incoming)?;

        let buckets = root.join("buckets");
        make_directory(&buckets)?;
        let bucket = buckets.join(bucket);
        make_directory(&bucket)?;
        for shard in 0..=u8::MAX {
            make_private(&bucket.join(hex::encode([shard])))?;
        }
        sync(&bucket)?;
        Ok(Self {
            incoming,
            bucket,
            _lock: lock,
        })
    }
}

/// Makes a directory whose name survives a crash.
fn make_directory(path: &Path) -> Result<(), OpenError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    make_directory(parent)?;
    make_private(path)?;
    sync(parent)
}

/// Makes a directory that only this user can read: photos are nobody else's business.
fn make_private(path: &Path) -> Result<(), OpenError> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(failed(path)(error)),
    }
}

/// The system releases the lock when the process ends, however it ends.
fn lock(root: &Path) -> Result<File, OpenError> {
    let path = root.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(root.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(&path)(error)),
    }
}

fn agree_on_layout(root: &Path) -> Result<(), OpenError> {
    let path = root.join("layout");
    match fs::read_to_string(&path) {
        Ok(found) if found == LAYOUT => Ok(()),
        Ok(found) => Err(OpenError::UnknownLayout {
            root: root.to_owned(),
            found,
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let new = root.join("layout.new");
            let write = |file: &mut File| file.write_all(LAYOUT.as_bytes()).and_then(|()| file.sync_all());
            File::create(&new)
                .and_then(|mut file| write(&mut file))
                .map_err(failed(&new))?;
            fs::rename(&new, &path).map_err(failed(&path))?;
            sync(root)
        }
        Err(error) => Err(failed(&path)(error)),
    }
}

fn empty(incoming: &Path) -> Result<(), OpenError> {
    let mut removed = 0_usize;
    for entry in fs::read_dir(incoming).map_err(failed(incoming))? {
        let path = entry.map_err(failed(incoming))?.path();
        match fs::remove_file(&path) {
            Ok(()) => removed += 1,
            // A store that has just stopped may still be tidying up.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&path)(error)),
        }
    }
    if removed > 0 {
        tracing::info!(removed, "removed unfinished uploads");
    }
    sync(incoming)
}

/// An upload that must not replace an object rests on links, so a file system without them is found out now.
fn try_hard_links(incoming: &Path) -> Result<(), OpenError> {
    let (one, other) = (incoming.join("link.a"), incoming.join("link.b"));
    File::create(&one).map_err(failed(&one))?;
    let linked = fs::hard_link(&one, &other);
    fs::remove_file(&one).map_err(failed(&one))?;
    linked.map_err(|error| {
        tracing::error!(%error, "hard links don't work");
        OpenError::NoHardLinks(incoming.to_owned())
    })?;
    fs::remove_file(&other).map_err(failed(&other))
}

fn sync(path: &Path) -> Result<(), OpenError> {
    sync_directory(path).map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_opened_by_one_store_at_a_time() {
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
    fn a_layout_of_another_version_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("layout"), "rapidphoto objects 2\n").unwrap();
        let refused = Directory::open(root.path(), "photos");
        assert!(matches!(refused, Err(OpenError::UnknownLayout { found, .. }) if found.ends_with("2\n")));
        assert!(!root.path().join("incoming").exists());
    }

    #[test]
    fn unfinished_uploads_are_removed() {
        let root = tempfile::tempdir().unwrap();
        drop(Directory::open(root.path(), "photos").unwrap());
        let left = root.path().join("incoming").join("left");
        fs::write(&left, "half").unwrap();
        drop(Directory::open(root.path(), "photos").unwrap());
        assert!(!left.exists());
    }

    #[test]
    fn a_missing_root_is_made_with_its_parents() {
        let root = tempfile::tempdir().unwrap();
        Directory::open(&root.path().join("a/b/c"), "photos").unwrap();
        assert!(root.path().join("a/b/c/buckets/photos/ff").is_dir());
    }
}
