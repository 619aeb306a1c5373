use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Directory of the state, readable by its owner only.
#[derive(Debug, Clone)]
pub(crate) struct StateDir {
    path: PathBuf,
}

impl StateDir {
    /// Opens the directory of the user, and creates it if it is missing: `$RAPIDPHOTO_STATE_DIR`, or `rapidphoto` in
    /// `$XDG_STATE_HOME`, whose default is `~/.local/state`.
    pub(crate) fn open() -> anyhow::Result<Self> {
        let variable = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let home = || std::env::home_dir().map(|home| home.join(".local/state"));
        let path = variable("RAPIDPHOTO_STATE_DIR").or_else(|| {
            // A relative path is invalid (XDG Base Directory Specification).
            let base = variable("XDG_STATE_HOME").filter(|path| path.is_absolute());
            Some(base.or_else(home)?.join("rapidphoto"))
        });
        let path = path.context("there is no home directory; set RAPIDPHOTO_STATE_DIR to a directory")?;
        Self::at(&path)
            .with_context(|| format!("the directory {} can't be used for the state", path.display()))
    }

    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Locks a file against other processes until the result is dropped; waits for them.
    pub(crate) fn lock(&self, name: &str) -> io::Result<LockedFile> {
        // The lock is a file of its own: the file itself is replaced.
        let lock = private()
            .create(true)
            .truncate(false)
            .open(self.path.join(format!("{name}.lock")))?;
        lock.lock()?;
        Ok(LockedFile {
            directory: self.path.clone(),
            name: name.to_owned(),
            _lock: lock,
        })
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// File that no other process reads or writes.
#[derive(Debug)]
pub(crate) struct LockedFile {
    directory: PathBuf,
    name: String,
    _lock: File,
}

impl LockedFile {
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// Content; `None` if the file is missing.
    pub(crate) fn read(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Replaces the content; after a crash it is the old or the new one.
    pub(crate) fn write(&mut self, content: &[u8]) -> io::Result<()> {
        let draft = self.directory.join(format!("{}.new", self.name));
        remove(&draft)?;
        let mut file = private().create_new(true).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&draft, self.path())?;
        File::open(&self.directory)?.sync_all()
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_can_read_the_state() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("a/b");
        let state = StateDir::at(&path).unwrap();
        let mut file = state.lock("login.json").unwrap();
        assert_eq!(file.read().unwrap(), None);
        file.write(b"{}").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        for entry in fs::read_dir(&path).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
        assert_eq!(file.read().unwrap().unwrap(), b"{}");
    }

    #[test]
    fn a_draft_of_a_crash_is_never_read() {
        let temporary = tempfile::tempdir().unwrap();
        let state = StateDir::at(temporary.path()).unwrap();
        fs::write(temporary.path().join("x.new"), b"torn").unwrap();
        let mut file = state.lock("x").unwrap();
        assert_eq!(file.read().unwrap(), None);
        file.write(b"whole").unwrap();
        assert_eq!(file.read().unwrap().unwrap(), b"whole");
    }

    #[test]
    fn writers_take_turns() {
        let temporary = tempfile::tempdir().unwrap();
        let state = StateDir::at(temporary.path()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let mut file = state.lock("count").unwrap();
                        let count = file.read().unwrap().map_or(0, |content| {
                            String::from_utf8(content).unwrap().parse::<u32>().unwrap()
                        });
                        file.write((count + 1).to_string().as_bytes()).unwrap();
                    }
                });
            }
        });
        let file = state.lock("count").unwrap();
        assert_eq!(file.read().unwrap().unwrap(), b"160");
    }
}
