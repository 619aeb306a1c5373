//! Secrets of one data directory, generated at the first start and readable by their owner only.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use rapidphoto_application::ports::Ids;
use serde::{Deserialize, Serialize};

/// Name of the file within the data directory.
pub(crate) const SECRETS_FILE: &str = "secrets.json";

/// Keys that stay the same across restarts.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Signs access tokens.
    #[serde(with = "hex::serde")]
    pub token_key: [u8; 32],
    /// Key that the last rotation replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_token_key: Option<PreviousKey>,
    /// Derives refresh tokens from their predecessors.
    #[serde(with = "hex::serde")]
    pub refresh_key: [u8; 32],
    /// Access key ID of the storage.
    pub s3_access_key: String,
    /// Secret access key of the storage.
    pub s3_secret_key: String,
}

/// Key of access tokens that was replaced.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviousKey {
    /// The key.
    #[serde(with = "hex::serde")]
    pub key: [u8; 32],
    /// Tokens that it signed are valid until this time.
    pub valid_until: DateTime<Utc>,
}

/// Keys that sign and verify access tokens.
#[derive(Clone)]
pub(crate) struct TokenKeys {
    pub(crate) current: [u8; 32],
    pub(crate) previous: Option<PreviousKey>,
}

/// Failure to load or store the secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretsError {
    /// Other users can read the file.
    #[error("{} can be read by other users (mode {mode:o}); set its mode to 600 and treat its keys as compromised", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is malformed.
    #[error("{} is malformed; restore it from a backup, or remove it and generate new keys with `rapidphoto admin rotate-keys`", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: serde_json::Error,
    },
    /// The file can't be read or written.
    #[error("{} can't be read or written", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

impl Secrets {
    /// Loads the secrets of a data directory; `None` if the file is missing.
    pub fn load(dir: &Path) -> Result<Option<Self>, SecretsError> {
        let path = dir.join(SECRETS_FILE);
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
                let secrets = serde_json::from_reader(file)
                    .map_err(|source| SecretsError::Malformed { path, source })?;
                Ok(Some(secrets))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io(error)),
        }
    }

    /// New random secrets.
    pub fn generate(ids: &dyn Ids) -> Self {
        let name = ids.secret();
        Self {
            token_key: ids.secret(),
            previous_token_key: None,
            refresh_key: ids.secret(),
            s3_access_key: format!(
                "RP{}",
                hex::encode_upper(name.first_chunk::<8>().unwrap_or(&[0; 8]))
            ),
            s3_secret_key: hex::encode(ids.secret()),
        }
    }

    /// Keys of access tokens.
    pub(crate) fn token_keys(&self) -> TokenKeys {
        TokenKeys {
            current: self.token_key,
            previous: self.previous_token_key.clone(),
        }
    }

    /// These secrets with a new key of access tokens. Tokens signed with the present key are valid until `valid_until`.
    pub fn with_new_token_key(self, ids: &dyn Ids, valid_until: DateTime<Utc>) -> Self {
        Self {
            previous_token_key: Some(PreviousKey {
                key: self.token_key,
                valid_until,
            }),
            token_key: ids.secret(),
            ..self
        }
    }

    /// Stores the secrets in a data directory. The caller must hold the directory's lock.
    pub fn store(&self, dir: &Path) -> Result<(), SecretsError> {
        let path = dir.join(SECRETS_FILE);
        self.write(dir, &path)
            .map_err(|source| SecretsError::Io { path, source })
    }

    /// Writes the file atomically: a truncated one would stop the next start.
    fn write(&self, dir: &Path, path: &Path) -> io::Result<()> {
        let draft = dir.join("secrets.json.new");
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
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
    fn secrets_stay_the_same_and_only_their_owner_can_read_them() {
        let dir = tempfile::tempdir().unwrap();
        let ids = Counting(1.into());
        assert!(Secrets::load(dir.path()).unwrap().is_none());
        let first = Secrets::generate(&ids);
        first.store(dir.path()).unwrap();
        let again = Secrets::load(dir.path()).unwrap().unwrap();
        assert_eq!(first.token_key, again.token_key);
        assert_ne!(first.token_key, first.refresh_key);
        let path = dir.path().join("secrets.json");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let exposed = Secrets::load(dir.path()).unwrap_err();
        assert!(
            matches!(exposed, SecretsError::Exposed { mode: 0o640, .. }),
            "{exposed}"
        );
    }

    #[test]
    fn a_rotation_keeps_the_previous_key_and_the_storage_keys() {
        let dir = tempfile::tempdir().unwrap();
        let ids = Counting(1.into());
        let first = Secrets::generate(&ids);
        let until = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        first
            .clone()
            .with_new_token_key(&ids, until)
            .store(dir.path())
            .unwrap();
        let rotated = Secrets::load(dir.path()).unwrap().unwrap();
        assert_ne!(rotated.token_key, first.token_key);
        assert_eq!(rotated.s3_secret_key, first.s3_secret_key);
        assert_eq!(rotated.refresh_key, first.refresh_key);
        let previous = rotated.previous_token_key.unwrap();
        assert_eq!((previous.key, previous.valid_until), (first.token_key, until));
    }

    #[test]
    fn a_half_written_file_is_never_used() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secrets.json.new"), b"{").unwrap();
        assert!(
            Secrets::load(dir.path()).unwrap().is_none(),
            "a temporary file left by a crash is ignored"
        );
        Secrets::generate(&Counting(1.into())).store(dir.path()).unwrap();
        let path = dir.path().join("secrets.json");
        fs::write(&path, b"{").unwrap();
        let malformed = Secrets::load(dir.path()).unwrap_err();
        assert!(matches!(malformed, SecretsError::Malformed { .. }), "{malformed}");
    }
}
