//! The data directory of a server: lock, database and secrets, which must belong together.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail, ensure};
use rapidphoto_application::ports::{Clock, Ids};
use rapidphoto_credentials::SigningKey;
use rapidphoto_persistence::{DataDirLock, SqliteStore};

use crate::{Config, Secrets, secrets::SECRETS_FILE, system::SteadyClock, wiring};

/// File that exists while a backup is restored into the directory.
pub(crate) const RESTORE_MARKER: &str = "restore-unfinished";

/// An opened data directory.
pub(crate) struct DataDir {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) secrets: Secrets,
    // Last field: released after everything else is dropped.
    pub(crate) lock: DataDirLock,
}

/// Locks and opens the data directory. A new one gets new secrets.
pub(crate) async fn open(config: &Config, clock: &Arc<dyn Clock>, ids: &dyn Ids) -> anyhow::Result<DataDir> {
    let lock = DataDirLock::acquire(&config.data.dir)?;
    open_locked(lock, config, clock, ids).await
}

/// Opens the data directory that `lock` belongs to. A new one gets new secrets.
pub(crate) async fn open_locked(
    lock: DataDirLock,
    config: &Config,
    clock: &Arc<dyn Clock>,
    ids: &dyn Ids,
) -> anyhow::Result<DataDir> {
    let dir = &config.data.dir;
    let marker = dir.join(RESTORE_MARKER);
    ensure!(
        !marker.exists(),
        "a backup was not completely restored into {}; remove its content and repeat `rapidphoto admin restore`",
        dir.display()
    );
    // A step of the system's clock neither delays due work nor ends leases.
    let steady: Arc<dyn Clock> = Arc::new(SteadyClock::started_by(&**clock));
    let store = wiring::open_database(config, &steady, Some(wiring::random_turn(ids))).await?;
    let is_empty = check_environment(&store, config).await?;
    let known = store.key_fingerprint().await?;
    let secrets = match Secrets::load(dir)? {
        Some(secrets) => secrets,
        None if known.is_none() && is_empty => {
            let secrets = Secrets::generate(ids);
            secrets.store(dir)?;
            secrets
        }
        None => bail!(
            "{} is missing, but the database holds data; restore the file from a backup, or make new keys with `rapidphoto \
             admin rotate-keys`, which ends all access tokens and upload URLs",
            secrets_file(config).display()
        ),
    };
    let fingerprint = fingerprint(&secrets.token_key)?;
    // The previous key is the database's if a rotation was interrupted.
    let previous = secrets.previous_token_key.as_ref();
    let previous = previous
        .map(|previous| self::fingerprint(&previous.key))
        .transpose()?;
    match known {
        Some(known) if known == fingerprint => {}
        Some(known) if previous.as_ref() != Some(&known) => bail!(
            "{} does not belong to the database: the database knows the key {known}, the file holds {fingerprint}; restore \
             the file from a backup of this database, or remove it and make new keys with `rapidphoto admin rotate-keys`, \
             which ends all access tokens and upload URLs",
            secrets_file(config).display()
        ),
        Some(_) | None => store.set_key_fingerprint(fingerprint).await?,
    }
    Ok(DataDir { store, secrets, lock })
}

/// Fails if the database holds data of other environments only. Returns true if it holds no data at all.
pub(crate) async fn check_environment(store: &SqliteStore, config: &Config) -> anyhow::Result<bool> {
    let namespaces = store.namespaces().await?;
    let environment = &config.storage.environment;
    ensure!(
        namespaces.is_empty() || namespaces.contains(environment),
        "the database in {} holds data of the environment `{}` only, which would not be visible in the environment \
         `{environment}`; set storage.environment to the former (the server's configuration is given by --config), or use \
         another data directory",
        config.data.dir.display(),
        namespaces.join("`, `"),
    );
    Ok(namespaces.is_empty())
}

/// Fingerprint of a key of access tokens.
pub(crate) fn fingerprint(token_key: &[u8; 32]) -> anyhow::Result<String> {
    let key = SigningKey::new(token_key).context("the key of access tokens is unusable")?;
    Ok(key.id().to_owned())
}

fn secrets_file(config: &Config) -> PathBuf {
    config.data.dir.join(SECRETS_FILE)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicI64, Ordering},
        time::Duration,
    };

    use chrono::{DateTime, Utc};
    use rapidphoto_application::ports::Subscriptions as _;

    use super::*;
    use crate::SystemIds;

    struct SettableClock(AtomicI64);

    impl Clock for SettableClock {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
        }
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_prolongs_no_lease() {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.data.dir = directory.path().join("data");
        let settable = Arc::new(SettableClock(AtomicI64::new(1_772_360_430_987)));
        let clock = Arc::clone(&settable) as Arc<dyn Clock>;
        let ids = SystemIds::new(Arc::clone(&clock));
        let data = open(&config, &clock, &ids).await.unwrap();
        let lease = Duration::from_millis(50);
        assert!(data.store.acquire("relay", lease).await.unwrap().is_some());
        settable.0.fetch_sub(3_600_000, Ordering::SeqCst);
        let acquired = async {
            while data.store.acquire("relay", lease).await.unwrap().is_none() {
                tokio::time::sleep(lease).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), acquired)
            .await
            .expect("the lease expires");
        data.store.close().await;
    }
}
