use std::fs;
use std::io;

use super::durability::{Step, step, sync_directory};
use super::objects::{Directory, StoredObject};
use super::precondition::Precondition;
use super::record::ObjectRecord;
use super::spool::ReceivedUpload;

/// Result of publishing an upload.
#[derive(Debug)]
pub(crate) enum Publication {
    /// The upload is the object now and survives a crash.
    Stored,
    /// The upload must not replace an object, and this one exists.
    AlreadyExists(Box<StoredObject>),
    /// The upload must not replace an object, and the existing one was deleted concurrently.
    Conflict,
    /// The upload must replace an object with a certain ETag, and the existing one has another.
    Changed,
    /// The upload must replace an object, and there is none.
    Missing,
}

impl Directory {
    /// Makes an upload the object of its record's key, if the existing object fulfils the precondition.
    pub(crate) fn publish(
        &self,
        received: ReceivedUpload,
        record: &ObjectRecord,
        precondition: &Precondition,
    ) -> io::Result<Publication> {
        let path = self.path(&record.key);
        let temporary = received.write_trailer(record)?;

        fail::fail_point!("s3.before-rename", |_| std::process::abort());
        let replacing = self.lock_objects();
        match precondition {
            Precondition::None => fs::rename(temporary.path(), &path.file)?,
            Precondition::Match(etag) => match self.find(&record.key)? {
                None => return Ok(Publication::Missing),
                Some(existing) if etag.as_ref().is_some_and(|etag| *etag != existing.record.etag) => {
                    return Ok(Publication::Changed);
                }
                Some(_) => fs::rename(temporary.path(), &path.file)?,
            },
            Precondition::Absent => {
                // Unlike a rename, a link never replaces a file: of any number of concurrent uploads exactly one succeeds.
                if let Err(error) = fs::hard_link(temporary.path(), &path.file) {
                    if error.kind() != io::ErrorKind::AlreadyExists {
                        return Err(error);
                    }
                    drop(replacing);
                    let existing = self.find_durable(&record.key)?;
                    return Ok(existing.map_or(Publication::Conflict, |stored| {
                        Publication::AlreadyExists(Box::new(stored))
                    }));
                }
            }
        }
        drop(replacing);
        step(Step::Published, &path.file);
        fail::fail_point!("s3.after-rename", |_| std::process::abort());

        self.keys.refresh(&record.key, &path.file);
        sync_directory(&path.shard)?;
        Ok(Publication::Stored)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::super::durability::recording;
    use super::*;
    use crate::directory::Digests;
    use crate::directory::record::{Checksums, Creation, ObjectHeaders};
    use chrono::DateTime;

    fn record(key: &str) -> ObjectRecord {
        ObjectRecord {
            key: key.to_owned(),
            etag: "e".to_owned(),
            sha256: "s".to_owned(),
            checksums: Checksums::new(),
            creation: Creation::Put,
            modified: DateTime::UNIX_EPOCH,
            sequencer: "1".to_owned(),
            headers: ObjectHeaders::default(),
            metadata: std::collections::BTreeMap::new(),
        }
    }

    fn put(directory: &Directory, name: u128, key: &str, data: &'static str, replace: bool) -> Publication {
        let spool = directory.spool(name, Digests::default()).unwrap();
        let received = spool.append(data.as_bytes()).unwrap().finish();
        let precondition = if replace {
            Precondition::None
        } else {
            Precondition::Absent
        };
        directory.publish(received, &record(key), &precondition).unwrap()
    }

    fn data(directory: &Directory, key: &str) -> Option<String> {
        directory.find(key).unwrap().map(|mut stored| {
            let mut data = String::new();
            std::io::Seek::rewind(&mut stored.file).unwrap();
            stored.file.take(stored.size).read_to_string(&mut data).unwrap();
            data
        })
    }

    #[test]
    fn an_upload_replaces_an_object_only_if_allowed() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        assert!(matches!(
            put(&directory, 1, "k", "one", false),
            Publication::Stored
        ));
        assert!(matches!(
            put(&directory, 2, "k", "two", false),
            Publication::AlreadyExists(_)
        ));
        assert_eq!(data(&directory, "k").as_deref(), Some("one"));
        assert!(matches!(
            put(&directory, 3, "k", "three", true),
            Publication::Stored
        ));
        assert_eq!(data(&directory, "k").as_deref(), Some("three"));
        assert_eq!(fs::read_dir(root.path().join("incoming")).unwrap().count(), 0);
    }

    #[test]
    fn an_upload_replaces_only_the_expected_object() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        let replace = |name, expected: Option<&str>| {
            let spool = directory.spool(name, Digests::default()).unwrap();
            let received = spool.append(b"new").unwrap().finish();
            let expected = Precondition::Match(expected.map(str::to_owned));
            directory.publish(received, &record("k"), &expected).unwrap()
        };
        assert!(matches!(replace(1, None), Publication::Missing));
        put(&directory, 2, "k", "old", false);
        assert!(matches!(replace(3, Some("other")), Publication::Changed));
        assert_eq!(data(&directory, "k").as_deref(), Some("old"));
        assert!(matches!(replace(4, Some("e")), Publication::Stored));
        assert_eq!(data(&directory, "k").as_deref(), Some("new"));
        assert!(matches!(replace(5, None), Publication::Stored));
    }

    #[test]
    fn data_is_synced_before_it_is_published_and_the_directory_after() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        let path = directory.path("k");
        let incoming = |name: u128| root.path().join("incoming").join(format!("{name:032x}"));
        for (name, replace) in [(1, false), (2, true)] {
            recording::take();
            put(&directory, name, "k", "one", replace);
            let durable = vec![
                (Step::Synced, incoming(name)),
                (Step::Published, path.file.clone()),
                (Step::Synced, path.shard.clone()),
            ];
            assert_eq!(recording::take(), durable, "replace: {replace}");
        }
        // An object that another upload has published is reported only after its directory is synced.
        put(&directory, 3, "k", "two", false);
        let reported = vec![(Step::Synced, incoming(3)), (Step::Synced, path.shard.clone())];
        assert_eq!(recording::take(), reported);
        directory.remove("k", &Precondition::None).unwrap();
        assert_eq!(
            recording::take(),
            [(Step::Removed, path.file), (Step::Synced, path.shard)]
        );
    }

    #[test]
    fn a_new_directory_and_its_layout_are_synced() {
        let root = tempfile::tempdir().unwrap();
        recording::take();
        let new = root.path().join("objects");
        Directory::open(&new, "photos").unwrap();
        let synced: Vec<_> = recording::take().into_iter().map(|(_, path)| path).collect();
        for path in [
            root.path().to_owned(),
            new.join("layout.new"),
            new.clone(),
            new.join("buckets"),
            new.join("buckets/photos"),
        ] {
            assert!(synced.contains(&path), "{}", path.display());
        }
    }

    #[test]
    fn an_object_survives_a_crash_between_link_and_unlink() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        put(&directory, 1, "k", "one", false);
        // After such a crash the upload's file is a second name of the object.
        fs::hard_link(directory.path("k").file, root.path().join("incoming/left")).unwrap();
        drop(directory);
        let directory = Directory::open(root.path(), "photos").unwrap();
        assert_eq!(data(&directory, "k").as_deref(), Some("one"));
        assert_eq!(fs::read_dir(root.path().join("incoming")).unwrap().count(), 0);
    }

    #[test]
    fn an_open_object_does_not_change() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        put(&directory, 1, "k", "one", false);
        let mut before = directory.find("k").unwrap().unwrap();
        put(&directory, 2, "k", "two", true);
        directory.remove("k", &Precondition::None).unwrap();
        let mut data = String::new();
        std::io::Seek::rewind(&mut before.file).unwrap();
        before.file.take(before.size).read_to_string(&mut data).unwrap();
        assert_eq!(data, "one");
        assert!(directory.find("k").unwrap().is_none());
        directory.remove("k", &Precondition::None).unwrap();
    }

    #[test]
    fn a_damaged_object_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        put(&directory, 1, "k", "one", false);
        fs::write(directory.path("k").file, "on").unwrap();
        assert_eq!(
            directory.find("k").unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }
}
