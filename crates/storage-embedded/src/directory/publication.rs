use std::fs;
use std::io;

use super::{Directory, ObjectRecord, Received, Stored, sync_directory};

/// What became of an upload.
#[derive(Debug)]
pub(crate) enum Publication {
    /// It is the object now, and stays it through a crash.
    Stored,
    /// It would have replaced this object, which was there before it.
    Taken(Box<Stored>),
    /// It would have replaced an object that was deleted at that moment.
    Raced,
}

impl Directory {
    /// Makes an upload the object of its record's key; `replace` says whether there may be one already.
    pub(crate) fn publish(
        &self,
        received: Received,
        record: &ObjectRecord,
        replace: bool,
    ) -> io::Result<Publication> {
        let place = self.place(&record.key);
        let temporary = received.seal(record)?;

        fail::fail_point!("s3.before-rename", |_| std::process::abort());
        if replace {
            fs::rename(temporary.path(), &place.file)?;
        } else if let Err(error) = fs::hard_link(temporary.path(), &place.file) {
            // Unlike a rename, a link never replaces: of any number of uploads exactly one comes past here.
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(error);
            }
            let standing = self.find_settled(&record.key)?;
            return Ok(standing.map_or(Publication::Raced, |stored| Publication::Taken(Box::new(stored))));
        }
        fail::fail_point!("s3.after-rename", |_| std::process::abort());

        sync_directory(&place.shard)?;
        Ok(Publication::Stored)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use bytes::Bytes;
    use chrono::DateTime;
    use s3s::checksum::ChecksumHasher;

    use super::super::ObjectHeaders;
    use super::*;

    fn record(key: &str) -> ObjectRecord {
        ObjectRecord {
            key: key.to_owned(),
            etag: "e".to_owned(),
            sha256: "s".to_owned(),
            modified: DateTime::UNIX_EPOCH,
            sequencer: "1".to_owned(),
            headers: ObjectHeaders::default(),
            metadata: std::collections::BTreeMap::new(),
        }
    }

    fn put(directory: &Directory, name: u128, key: &str, data: &'static str, replace: bool) -> Publication {
        let spool = directory.spool(name, ChecksumHasher::default()).unwrap();
        let received = spool
            .append(&[Bytes::from_static(data.as_bytes())])
            .unwrap()
            .finish();
        directory.publish(received, &record(key), replace).unwrap()
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
    fn an_upload_replaces_an_object_only_where_it_may() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        assert!(matches!(
            put(&directory, 1, "k", "one", false),
            Publication::Stored
        ));
        assert!(matches!(
            put(&directory, 2, "k", "two", false),
            Publication::Taken(_)
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
    fn an_object_outlives_the_leftovers_of_a_crash_while_it_was_linked() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        put(&directory, 1, "k", "one", false);
        // Stopped between link and unlink, the upload's file is a second name of the object.
        fs::hard_link(directory.place("k").file, root.path().join("incoming/left")).unwrap();
        drop(directory);
        let directory = Directory::open(root.path(), "photos").unwrap();
        assert_eq!(data(&directory, "k").as_deref(), Some("one"));
        assert_eq!(fs::read_dir(root.path().join("incoming")).unwrap().count(), 0);
    }

    #[test]
    fn an_object_that_was_opened_stays_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        put(&directory, 1, "k", "one", false);
        let mut before = directory.find("k").unwrap().unwrap();
        put(&directory, 2, "k", "two", true);
        directory.remove("k").unwrap();
        let mut data = String::new();
        std::io::Seek::rewind(&mut before.file).unwrap();
        before.file.take(before.size).read_to_string(&mut data).unwrap();
        assert_eq!(data, "one");
        assert!(directory.find("k").unwrap().is_none());
        directory.remove("k").unwrap();
    }

    #[test]
    fn a_damaged_object_is_an_error_and_not_absent() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path(), "photos").unwrap();
        put(&directory, 1, "k", "one", false);
        fs::write(directory.place("k").file, "on").unwrap();
        assert_eq!(
            directory.find("k").unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }
}
