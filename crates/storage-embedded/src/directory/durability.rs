//! Syncs to the disk, each in one place, so that tests can record them.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes the content of a file survive a crash.
pub(super) fn sync_file(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    step(Step::Synced, path);
    Ok(())
}

/// Makes the entries of a directory survive a crash.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    sync_file(&File::open(path)?, path)
}

/// Step towards a durable object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The file or directory was synced.
    Synced,
    /// The object got its name.
    Published,
    /// The object lost its name.
    Removed,
}

/// Records a step, in tests only.
pub(super) fn step(step: Step, path: &Path) {
    #[cfg(test)]
    recording::STEPS.with_borrow_mut(|steps| steps.push((step, path.to_owned())));
    #[cfg(not(test))]
    let _ = (step, path);
}

#[cfg(test)]
pub(super) mod recording {
    use std::cell::RefCell;
    use std::path::PathBuf;

    use super::Step;

    thread_local! {
        /// Steps of this thread since [`take`] was called.
        pub(super) static STEPS: RefCell<Vec<(Step, PathBuf)>> = const { RefCell::new(Vec::new()) };
    }

    /// Steps of this thread since the last call.
    pub(in crate::directory) fn take() -> Vec<(Step, PathBuf)> {
        STEPS.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syncs_reach_the_system() {
        // It refuses to sync a device without storage, which a call that is only recorded would not notice.
        let device = Path::new("/dev/null");
        let synced = sync_file(&File::open(device).unwrap(), device);
        assert_eq!(synced.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert!(sync_directory(device).is_err());
        assert_eq!(recording::take(), []);
    }
}
