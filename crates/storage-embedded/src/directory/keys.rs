use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::objects::{Directory, ObjectPath};
use super::record::{self, ObjectRecord};

/// Time since the last list after which the keys are forgotten.
const KEPT: Duration = Duration::from_mins(10);

/// Sorted keys of all objects, for lists. File names are hashes, so the first list reads the records of all objects; after
/// that, every change of an object is noted, until nothing has been listed for a while. Takes about 150 bytes a key.
#[derive(Debug, Default)]
pub(super) struct KeyIndex {
    known: Mutex<Option<KnownKeys>>,
    /// Held while all records are read.
    reading: Mutex<()>,
}

#[derive(Debug)]
struct KnownKeys {
    keys: BTreeSet<String>,
    /// False while the records are still being read.
    complete: bool,
    last_list: Instant,
}

impl KeyIndex {
    /// Notes a change of a key's object. The file decides, so that of two concurrent changes the last one is noted.
    pub(super) fn refresh(&self, key: &str, path: &ObjectPath) {
        let mut known = self.lock();
        if known
            .as_ref()
            .is_some_and(|known| known.complete && known.last_list.elapsed() > KEPT)
        {
            *known = None;
        }
        if let Some(known) = &mut *known {
            if path.file.exists() {
                known.keys.insert(key.to_owned());
            } else {
                known.keys.remove(key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<KnownKeys>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keys in the order of their bytes, from `first` on, as long as `accept` returns true.
    fn visit(&self, first: Bound<&str>, accept: &mut dyn FnMut(&str) -> bool) -> bool {
        let mut known = self.lock();
        let Some(known) = known.as_mut().filter(|known| known.complete) else {
            return false;
        };
        known.last_list = Instant::now();
        let range = (first, Bound::Unbounded);
        for key in known.keys.range::<str, _>(range) {
            if !accept(key) {
                break;
            }
        }
        true
    }
}

impl Directory {
    /// Passes keys to `accept` in the order of their bytes, from `first` on, as long as it returns true.
    ///
    /// # Errors
    /// If a directory can't be read.
    pub(crate) fn visit_keys(
        &self,
        first: Bound<&str>,
        accept: &mut dyn FnMut(&str) -> bool,
    ) -> io::Result<()> {
        while !self.keys.visit(first, accept) {
            let reading = self.keys.reading.lock().unwrap_or_else(PoisonError::into_inner);
            if self.keys.lock().is_none() {
                let read = self.read_keys();
                if read.is_err() {
                    *self.keys.lock() = None;
                }
                read?;
            }
            drop(reading);
        }
        Ok(())
    }

    fn read_keys(&self) -> io::Result<()> {
        *self.keys.lock() = Some(KnownKeys {
            keys: BTreeSet::new(),
            complete: false,
            last_list: Instant::now(),
        });
        for shard in fs::read_dir(&self.bucket)? {
            for file in fs::read_dir(shard?.path())? {
                let file = file?.path();
                match key_of(&file) {
                    Ok(Some(key)) => self.keys.refresh(&key, &self.path(&key)),
                    Ok(None) => {}
                    Err(error) => tracing::error!(
                        path = %file.display(), %error,
                        "an object is left out of lists, because its file can't be read"
                    ),
                }
            }
        }
        if let Some(known) = &mut *self.keys.lock() {
            known.complete = true;
        }
        Ok(())
    }
}

/// Key of the object in a file; `None` if it was removed meanwhile.
fn key_of(path: &Path) -> io::Result<Option<String>> {
    match File::open(path) {
        Ok(file) => Ok(Some(record::read::<ObjectRecord>(&file)?.0.key)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
