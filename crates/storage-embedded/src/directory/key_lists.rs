use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::PoisonError;

use super::objects::Directory;
use super::record::{self, ObjectRecord};

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
            if !self.keys.is_known() {
                self.keys.begin();
                let read = self.read_keys();
                self.keys.end(read.is_ok());
                read?;
            }
            drop(reading);
        }
        Ok(())
    }

    fn read_keys(&self) -> io::Result<()> {
        for shard in fs::read_dir(&self.bucket)? {
            for file in fs::read_dir(shard?.path())? {
                let file = file?.path();
                match key_of(&file) {
                    Ok(Some(key)) => self.keys.refresh(&key, &self.path(&key).file),
                    Ok(None) => {}
                    Err(error) => tracing::error!(
                        path = %file.display(), %error,
                        "an object is left out of lists, because its file can't be read"
                    ),
                }
            }
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
