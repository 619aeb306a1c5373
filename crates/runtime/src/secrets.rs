//! The secrets of one data directory: made at first start, readable by their owner only.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rapidphoto_application::ports::Ids;
use serde::{Deserialize, Serialize};

/// Keys that must stay the same across restarts.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Signs access tokens.
    #[serde(with = "hex::serde")]
    pub token_key: [u8; 32],
    /// Derives refresh tokens from their predecessors.
    #[serde(with = "hex::serde")]
    pub refresh_key: [u8; 32],
    /// Names the storage key.
    pub s3_access_key: String,
    /// The storage key.
    pub s3_secret_key: String,
}

/// Why the secrets can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretsError {
    /// Others can read them.
    #[error("{} can be read by others (mode {mode:o}); make it 600 and consider its keys known", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file is not what this program wrote.
    #[error("{} can't be understood", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The file can't be read or written.
    #[error("{} can't be read or written", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Secrets {
    /// The secrets of a data directory, made now if there are none. The caller holds the directory's lock.
    pub fn load_or_create(dir: &Path, ids: &dyn Ids) -> Result<Self, SecretsError> {
        let path = dir.join("secrets.json");
        let io = |source| SecretsError::Io {
            path: path.clone(),
            source,
        };
        match File::open(&path) {
            Ok(file) => {
                let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
                if mode & 0o077 != 0 {
                    return Err(SecretsError::Exposed { path, mode });
                }
                serde_json::from_reader(file).map_err(|source| SecretsError::Malformed { path, source })
            }
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                let secrets = Self::create(ids);
                secrets.store(dir, &path).map_err(io)?;
                Ok(secrets)
            }
            Err(why) => Err(io(why)),
        }
    }

    fn create(ids: &dyn Ids) -> Self {
        let name = ids.secret();
        Self {
            token_key: ids.secret(),
            refresh_key: ids.secret(),
            s3_access_key: format!(
                "RP{}",
                hex::encode_upper(name.first_chunk::<8>().unwrap_or(&[0; 8]))
            ),
            s3_secret_key: hex::encode(ids.secret()),
        }
    }

    /// Whole or not at all: half a file of keys would lock its users out.
    fn store(&self, dir: &Path, path: &Path) -> io::Result<()> {
        let draft = dir.join("secrets.json.new");
        match fs::remove_file(&draft) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        File::open(dir)?.sync_all()
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Ids for Counting {
        fn ulid(&self) -> u128 {
            0
        }

        fn secret(&self) -> [u8; 32] {
            [self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed); 32]
        }
    }

    #[test]
    fn secrets_stay_the_same_and_are_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let ids = Counting(1.into());
        let first = Secrets::load_or_create(dir.path(), &ids).unwrap();
        let again = Secrets::load_or_create(dir.path(), &ids).unwrap();
        assert_eq!(first.token_key, again.token_key);
        assert_ne!(first.token_key, first.refresh_key);
        let path = dir.path().join("secrets.json");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let exposed = Secrets::load_or_create(dir.path(), &ids).unwrap_err();
        assert!(
            matches!(exposed, SecretsError::Exposed { mode: 0o640, .. }),
            "{exposed}"
        );
    }

    #[test]
    fn a_half_written_file_is_never_used() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secrets.json.new"), b"{").unwrap();
        assert!(
            Secrets::load_or_create(dir.path(), &Counting(1.into())).is_ok(),
            "a draft that a crash left is no file"
        );
        let path = dir.path().join("secrets.json");
        fs::write(&path, b"{").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let broken = Secrets::load_or_create(dir.path(), &Counting(1.into())).unwrap_err();
        assert!(matches!(broken, SecretsError::Malformed { .. }), "{broken}");
    }
}
