use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Time since the last list after which the keys are forgotten.
const KEPT: Duration = Duration::from_mins(10);

/// Sorted keys of all objects, for lists. File names are hashes, so the first list reads the records of all objects; after
/// that, every change of an object is noted, until nothing has been listed for a while. Takes about 150 bytes a key.
#[derive(Debug, Default)]
pub(super) struct KeyIndex {
    known: Mutex<Option<KnownKeys>>,
    /// Held while all records are read.
    pub(super) reading: Mutex<()>,
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
    pub(super) fn refresh(&self, key: &str, file: &Path) {
        let mut known = self.lock();
        if known
            .as_ref()
            .is_some_and(|known| known.complete && known.last_list.elapsed() > KEPT)
        {
            *known = None;
        }
        if let Some(known) = &mut *known {
            if file.exists() {
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
    pub(super) fn visit(&self, first: Bound<&str>, accept: &mut dyn FnMut(&str) -> bool) -> bool {
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

    /// Begins to note changes, without any key.
    pub(super) fn begin(&self) {
        *self.lock() = Some(KnownKeys {
            keys: BTreeSet::new(),
            complete: false,
            last_list: Instant::now(),
        });
    }

    /// Ends the reading of all records.
    pub(super) fn end(&self, complete: bool) {
        let mut known = self.lock();
        if complete {
            if let Some(known) = &mut *known {
                known.complete = true;
            }
        } else {
            *known = None;
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.lock().is_some()
    }
}
