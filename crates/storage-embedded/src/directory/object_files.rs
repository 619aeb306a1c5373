//! Copies of the objects, for backups. They need no lock: an object's file never changes after its publication, it is only
//! replaced by another file or removed.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use s3s::crypto::{Checksum as _, Sha256};

use super::{
    durability::sync_file,
    layout::{LAYOUT, OpenError, create_directory, io_error, sync},
    objects::object_path,
    record::{self, ObjectRecord},
};

/// Size in bytes of the buffer for copies.
const BUFFER: usize = 1 << 20;

/// Object files of a store or of a copy, of all buckets.
#[derive(Debug, Clone)]
pub struct ObjectFiles {
    root: PathBuf,
}

/// Result of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CopiedObjects {
    /// Objects that the target lacked.
    pub objects: u64,
    /// Their bytes, with metadata.
    pub bytes: u64,
    /// Files that are incomplete or whose data does not match its SHA-256. They are copied as they are.
    pub damaged: Vec<PathBuf>,
}

/// Extent of the checks of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectChecks {
    /// Data that is copied is compared with its SHA-256. Of a hard link, which has no data of its own, only the metadata is
    /// checked.
    Copied,
    /// All data is compared with its SHA-256.
    All,
}

impl ObjectFiles {
    /// Files below the root directory of a store, which may not exist.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Returns true if the file of an object exists.
    pub fn contains(&self, bucket: &str, key: &str) -> bool {
        object_path(&self.root.join("buckets").join(bucket), key)
            .file
            .is_file()
    }

    /// Adds the objects that `target` lacks, by hard link if possible, and makes them durable. `progress` receives the bytes
    /// of each object. Objects that are removed meanwhile are left out. Blocks on file-system calls.
    ///
    /// # Errors
    /// If a file or directory can't be read or written.
    pub fn copy_to(
        &self,
        target: &Self,
        checks: ObjectChecks,
        progress: &dyn Fn(u64),
    ) -> Result<CopiedObjects, OpenError> {
        let mut copied = CopiedObjects::default();
        create_directory(&target.root)?;
        write_layout(&target.root)?;
        for shard in self.shards()? {
            let from = self.root.join(&shard);
            let into = target.root.join(&shard);
            create_directory(&into)?;
            let present = names(&into)?;
            let mut changed = false;
            for name in names(&from)?.difference(&present) {
                let path = into.join(name);
                let Some((bytes, sound)) = add(&from.join(name), &path, checks)? else {
                    continue;
                };
                changed = true;
                copied.objects += 1;
                copied.bytes += bytes;
                if !sound {
                    copied.damaged.push(path);
                }
                progress(bytes);
            }
            if changed {
                sync(&into)?;
            }
        }
        Ok(copied)
    }

    /// Paths below the root of the objects that `other` lacks.
    ///
    /// # Errors
    /// If a directory can't be read.
    pub fn without_counterpart(&self, other: &Self) -> Result<BTreeSet<PathBuf>, OpenError> {
        let mut found = BTreeSet::new();
        for shard in self.shards()? {
            let counterparts = names(&other.root.join(&shard))?;
            let only_here = names(&self.root.join(&shard))?;
            found.extend(only_here.difference(&counterparts).map(|name| shard.join(name)));
        }
        Ok(found)
    }

    /// Path of an object below the root.
    pub fn path_of(bucket: &str, key: &str) -> PathBuf {
        object_path(&Path::new("buckets").join(bucket), key).file
    }

    /// Removes a file below the root.
    ///
    /// # Errors
    /// If it can't be removed.
    pub fn remove(&self, path: &Path) -> Result<(), OpenError> {
        let path = self.root.join(path);
        fs::remove_file(&path).map_err(io_error(&path))
    }

    /// Number and bytes of all objects.
    ///
    /// # Errors
    /// If a file or directory can't be read.
    pub fn count(&self) -> Result<(u64, u64), OpenError> {
        let (mut objects, mut bytes) = (0, 0);
        for shard in self.shards()? {
            let shard = self.root.join(shard);
            for name in names(&shard)? {
                let path = shard.join(name);
                match fs::metadata(&path) {
                    Ok(found) => {
                        objects += 1;
                        bytes += found.len();
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(io_error(&path)(error)),
                }
            }
        }
        Ok((objects, bytes))
    }

    /// Directories with object files, below the root: `buckets/<bucket>/<2 hex>`.
    fn shards(&self) -> Result<Vec<PathBuf>, OpenError> {
        let buckets = Path::new("buckets");
        let mut shards = Vec::new();
        for bucket in names(&self.root.join(buckets))? {
            let bucket = buckets.join(bucket);
            let inside = names(&self.root.join(&bucket))?;
            shards.extend(inside.into_iter().map(|shard| bucket.join(shard)));
        }
        Ok(shards)
    }
}

/// Names in a directory; none if it does not exist.
fn names(directory: &Path) -> Result<BTreeSet<std::ffi::OsString>, OpenError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(io_error(directory)(error)),
    };
    entries
        .map(|entry| Ok(entry.map_err(io_error(directory))?.file_name()))
        .collect()
}

fn write_layout(root: &Path) -> Result<(), OpenError> {
    let path = root.join("layout");
    File::create(&path)
        .and_then(|mut file| {
            file.write_all(LAYOUT.as_bytes())?;
            sync_file(&file, &path)
        })
        .map_err(io_error(&path))
}

/// Links or copies one file. Returns its size, and false if it is damaged; `None` if it was removed meanwhile.
fn add(from: &Path, to: &Path, checks: ObjectChecks) -> Result<Option<(u64, bool)>, OpenError> {
    // The file is opened first: its data stays readable if the object is removed.
    let source = match File::open(from) {
        Ok(source) => source,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(from)(error)),
    };
    let bytes = source.metadata().map_err(io_error(from))?.len();
    match fs::hard_link(from, to) {
        Ok(()) => {
            let sound = match checks {
                ObjectChecks::Copied => record::read::<ObjectRecord>(&source).map(drop),
                ObjectChecks::All => check_data(&source, None),
            };
            return Ok(Some((bytes, is_sound(from, sound)?)));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // Another file system, one without hard links, or a limit of the number of links.
        Err(_) => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut target = options.open(to).map_err(io_error(to))?;
    let sound = is_sound(to, check_data(&source, Some(&mut target)))?;
    sync_file(&target, to).map_err(io_error(to))?;
    Ok(Some((bytes, sound)))
}

fn is_sound(path: &Path, checked: io::Result<()>) -> Result<bool, OpenError> {
    match checked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
        Err(error) => Err(io_error(path)(error)),
    }
}

/// Reads a whole file, copies it, and compares its data with the SHA-256 in its record.
///
/// # Errors
/// `InvalidData` if the file is damaged; it is copied nevertheless.
fn check_data(mut source: &File, mut target: Option<&mut File>) -> io::Result<()> {
    let record = record::read::<ObjectRecord>(source);
    let data_bytes = record.as_ref().map_or(0, |(_, bytes)| *bytes);
    source.rewind()?;
    let mut digest = Sha256::new();
    let mut left = data_bytes;
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = source.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else {
            break;
        };
        if let Some(target) = &mut target {
            target.write_all(chunk)?;
        }
        let data = usize::try_from(left).unwrap_or(usize::MAX).min(read);
        digest.update(chunk.get(..data).unwrap_or_default());
        left -= data as u64;
    }
    let (record, _) = record?;
    if STANDARD.encode(digest.finalize()) == record.sha256 {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the object's data does not match its SHA-256",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Digests, Directory, Precondition};

    fn put(directory: &Directory, name: u128, key: &str, data: &str) {
        let spool = directory.spool(name, Digests::default()).unwrap();
        let received = spool.append(data.as_bytes()).unwrap().finish();
        let record = ObjectRecord {
            key: key.to_owned(),
            etag: "e".to_owned(),
            sha256: STANDARD.encode(Sha256::checksum(data.as_bytes())),
            checksums: crate::directory::Checksums::new(),
            creation: crate::directory::Creation::Put,
            modified: chrono::DateTime::UNIX_EPOCH,
            sequencer: "1".to_owned(),
            headers: crate::directory::ObjectHeaders::default(),
            metadata: std::collections::BTreeMap::new(),
        };
        directory.publish(received, &record, &Precondition::None).unwrap();
    }

    fn nothing(_: u64) {}

    #[test]
    fn a_copy_gets_what_it_lacks_and_can_be_opened() {
        let root = tempfile::tempdir().unwrap();
        let (store, copy) = (root.path().join("store"), root.path().join("copy"));
        let (files, copied) = (ObjectFiles::new(&store), ObjectFiles::new(&copy));
        let directory = Directory::open(&store, "photos").unwrap();
        put(&directory, 1, "a", "one");
        put(&directory, 2, "b", "two");
        let first = files.copy_to(&copied, ObjectChecks::All, &nothing).unwrap();
        assert_eq!((first.objects, first.damaged.len()), (2, 0));
        put(&directory, 3, "c", "three");
        directory.remove("a", &Precondition::None).unwrap();
        let second = files.copy_to(&copied, ObjectChecks::Copied, &nothing).unwrap();
        assert_eq!((second.objects, second.damaged.len()), (1, 0));
        assert_eq!(copied.count().unwrap(), (3, first.bytes + second.bytes));
        assert!(copied.contains("photos", "a") && !files.contains("photos", "a"));
        let gone = copied.without_counterpart(&files).unwrap();
        assert_eq!(gone, BTreeSet::from([ObjectFiles::path_of("photos", "a")]));
        for path in gone {
            copied.remove(&path).unwrap();
        }
        // Later changes of the store do not reach the copy.
        put(&directory, 4, "b", "another");
        let opened = Directory::open(&copy, "photos").unwrap();
        assert_eq!(opened.find("b").unwrap().unwrap().size, 3);
        assert!(opened.find("a").unwrap().is_none());
    }

    #[test]
    fn nothing_is_copied_of_a_store_that_does_not_exist() {
        let root = tempfile::tempdir().unwrap();
        let files = ObjectFiles::new(&root.path().join("missing"));
        let copied = ObjectFiles::new(&root.path().join("copy"));
        let none = files.copy_to(&copied, ObjectChecks::All, &nothing).unwrap();
        assert_eq!(none, CopiedObjects::default());
        assert_eq!(copied.count().unwrap(), (0, 0));
    }

    #[test]
    fn damaged_objects_are_copied_and_reported() {
        let root = tempfile::tempdir().unwrap();
        let store = root.path().join("store");
        let directory = Directory::open(&store, "photos").unwrap();
        let files = ObjectFiles::new(&store);
        for (number, key) in ["sound", "truncated", "changed"].into_iter().enumerate() {
            put(&directory, number as u128, key, "0123456789");
        }
        let path = |key: &str| store.join(ObjectFiles::path_of("photos", key));
        let mut bytes = fs::read(path("changed")).unwrap();
        bytes[3] = b'x';
        fs::write(path("changed"), &bytes).unwrap();
        bytes.pop();
        fs::write(path("truncated"), &bytes).unwrap();

        let linked = ObjectFiles::new(&root.path().join("linked"));
        let copied = files.copy_to(&linked, ObjectChecks::Copied, &nothing).unwrap();
        assert_eq!(
            (copied.objects, copied.damaged.len()),
            (3, 1),
            "the data of links is not read"
        );
        let checked = ObjectFiles::new(&root.path().join("checked"));
        let copied = files.copy_to(&checked, ObjectChecks::All, &nothing).unwrap();
        assert_eq!((copied.objects, copied.damaged.len()), (3, 2));

        // As on another file system.
        let mut target = File::create(root.path().join("file")).unwrap();
        let source = File::open(path("changed")).unwrap();
        let error = check_data(&source, Some(&mut target)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(
            fs::read(root.path().join("file")).unwrap(),
            fs::read(path("changed")).unwrap()
        );
        let source = File::open(path("sound")).unwrap();
        check_data(&source, None).unwrap();
    }
}
