//! Construction of settings and adapters from the configuration.

use std::{num::NonZeroU32, sync::Arc};

use anyhow::Context;
use rapidphoto_application::{
    admin::NoDeadLetters,
    log::{EventCodec, Upcasters},
    ports::{Clock, DatabasePorts, Ids, Ports},
    progress::LocalTicks,
    settings::{
        AuthSettings, CheckSettings, LoginBudgets, QuotaSettings, Settings, StorageSettings, UploadSettings,
        WorkSettings,
    },
    signals::{SignallingJournal, Signals},
};
use rapidphoto_credentials::{
    Argon2Config, Argon2Passwords, Hs256Tokens, PreviousKey, SigningKey, SigningKeyError,
};
use rapidphoto_domain::{photo::CheckPolicies, values::KeySpace};
use rapidphoto_http::{HttpConfig, Surface};
use rapidphoto_persistence::{SqliteConfig, SqliteStore};
use rapidphoto_storage_embedded::{EmbeddedConfig, EmbeddedObjects, EmbeddedPresigner};
#[cfg(feature = "distributed")]
use rapidphoto_storage_s3::{Addressing, ConditionalWrites, Encryption, S3Config, S3Credentials};

#[cfg(feature = "distributed")]
use crate::config::{AddressingStyle, Conditional, CredentialsSource, EncryptionKind, Secret};
use crate::{Config, Secrets, free_space::FreeSpace, inspection, secrets::TokenKeys};

/// Settings of the use cases.
pub(crate) fn settings(config: &Config) -> anyhow::Result<Arc<Settings>> {
    let (uploads, work) = (&config.uploads, &config.work);
    Ok(Arc::new(Settings {
        storage: StorageSettings {
            bucket: config.storage.bucket.clone(),
            region: config.storage.region.clone(),
            keys: KeySpace::new(&config.storage.environment)?,
        },
        uploads: UploadSettings {
            max_files: uploads.max_files,
            max_file_bytes: uploads.max_file_bytes,
            readable_types: rapidphoto_imaging::READABLE_TYPES,
            url_lifetime: uploads.url_lifetime,
            window: uploads.window,
            ..UploadSettings::default()
        },
        quotas: QuotaSettings {
            open_photos: config.limits.open_photos,
            stored_bytes: config.limits.stored_bytes,
            photos_per_day: config.limits.photos_per_day,
            min_free_bytes: config.data.min_free_bytes,
            max_work_age: config.limits.max_work_age,
        },
        work: WorkSettings {
            concurrency: work.concurrency,
            lease: work.lease,
            poll: work.poll,
            look_grace: work.look_grace,
            look_pause: work.look_pause,
            retry_pause: work.retry_pause,
            keep_rejected: work.keep_rejected,
            keep_failed: work.keep_failed,
            download_budget_bytes: work.download_budget_bytes,
            drain: config.server.drain_timeout,
            ..WorkSettings::default()
        },
        checks: CheckSettings {
            policies: CheckPolicies::with(config.checks.policies.clone()),
            max_pixels: config.checks.max_pixels,
            min_edge: config.checks.min_edge,
        },
        auth: AuthSettings {
            registration: config.auth.registration,
            access_lifetime: config.auth.access_lifetime,
            refresh_lifetime: config.auth.refresh_lifetime,
            session_lifetime: config.auth.session_lifetime,
            min_password_chars: config.auth.min_password_chars,
            budgets: LoginBudgets {
                failed_logins: config.auth.failed_logins_per_minute,
                logins: config.auth.logins_per_minute,
                registrations: config.auth.registrations_per_minute,
            },
            ..AuthSettings::default()
        },
    }))
}

/// Configuration of the HTTP API.
pub(crate) fn http(config: &Config) -> HttpConfig {
    let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    HttpConfig {
        allowed_origins: config.server.allowed_origins.clone(),
        body_limit: config.server.body_limit,
        request_timeout: config.server.request_timeout,
        jobs_per_minute: positive(config.limits.jobs_per_minute),
        progress_per_second: positive(config.limits.progress_per_second),
        requests_per_second: positive(config.limits.requests_per_second),
        anonymous_requests_per_second: positive(config.limits.anonymous_requests_per_second),
        streams: positive(config.limits.streams),
        trusted_proxies: config.server.trusted_proxies.clone(),
        proxy_hops: config.server.proxy_hops,
        surface: match config.server.operations_listen {
            None if config.server.public_docs => Surface::Everything,
            None => Surface::EverythingButDocs,
            Some(_) => Surface::Public {
                docs: config.server.public_docs,
            },
        },
        https: config.server.tls.is_some() || config.server.behind_tls_proxy,
        drain: config
            .server
            .drain_timeout
            .min(std::time::Duration::from_secs(10)),
        ..HttpConfig::default()
    }
}

/// Configuration of the listener for operators.
pub(crate) fn operations(config: &Config) -> HttpConfig {
    HttpConfig {
        surface: Surface::Operations {
            docs: !config.server.public_docs,
        },
        workers: 1,
        ..http(config)
    }
}

/// Connection to an object store of another process.
#[cfg(feature = "distributed")]
pub(crate) fn s3(config: &Config) -> anyhow::Result<S3Config> {
    let section = &config.storage;
    let text = |secret: &Option<Secret>| {
        secret
            .as_ref()
            .map_or_else(String::new, |text| text.reveal().to_owned())
    };
    let credentials = match section.credentials {
        CredentialsSource::Static => S3Credentials::new(text(&section.access_key), text(&section.secret_key)),
        CredentialsSource::Chain => S3Credentials::from_environment(&section.region)?,
    };
    let default_style = match section.endpoint {
        Some(_) => AddressingStyle::Path,
        None => AddressingStyle::Virtual,
    };
    Ok(S3Config {
        endpoint: section.endpoint.clone(),
        public_endpoint: section.public_endpoint.clone(),
        addressing: match section.addressing.unwrap_or(default_style) {
            AddressingStyle::Path => Addressing::Path,
            AddressingStyle::Virtual => Addressing::VirtualHost,
        },
        conditional_writes: match section.conditional_writes {
            Conditional::Auto => ConditionalWrites::Auto,
            Conditional::On => ConditionalWrites::On,
            Conditional::Off => ConditionalWrites::Off,
        },
        encryption: match section.encryption {
            EncryptionKind::None => None,
            EncryptionKind::S3 => Some(Encryption::S3),
            EncryptionKind::Kms => Some(Encryption::Kms {
                key: section.kms_key.clone(),
            }),
        },
        ..S3Config::new(&section.bucket, &section.region, credentials)
    })
}

/// Directory of the objects.
pub(crate) fn objects_dir(config: &Config) -> std::path::PathBuf {
    config.data.dir.join(OBJECTS_DIR)
}

/// Configuration of the embedded storage.
pub(crate) fn embedded(config: &Config, keys: StorageKeys<'_>, hosts: Vec<String>) -> EmbeddedConfig {
    let storage = &config.storage;
    EmbeddedConfig {
        region: storage.region.clone(),
        allowed_origins: config.server.allowed_origins.clone(),
        max_object_bytes: config.uploads.max_file_bytes,
        min_free_bytes: config.data.min_free_bytes,
        hosts,
        idle_timeout: storage.idle_timeout,
        shutdown_grace: config.server.drain_timeout,
        ..EmbeddedConfig::new(
            objects_dir(config),
            &storage.bucket,
            keys.access_key,
            keys.secret_key,
        )
    }
}

/// Key pair of the embedded storage.
#[derive(Clone, Copy)]
pub(crate) struct StorageKeys<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) secret_key: &'a str,
}

/// Opens the database of the data directory.
pub(crate) async fn open_database(
    config: &Config,
    clock: &Arc<dyn Clock>,
    first_turn: Option<u64>,
) -> anyhow::Result<Arc<SqliteStore>> {
    let store = SqliteStore::open(sqlite(config, first_turn), Arc::clone(clock), codec()).await;
    store.map(Arc::new).context("the database can't be opened")
}

/// Opens the database of a data directory that a server runs on.
pub(crate) async fn open_database_beside(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<SqliteStore>> {
    let store = SqliteStore::open_beside(sqlite(config, None), Arc::clone(clock), codec()).await;
    store.map(Arc::new).context("the database can't be opened")
}

/// Random start of the owners' turns.
pub(crate) fn random_turn(ids: &dyn Ids) -> u64 {
    let random = ids.secret();
    random
        .first_chunk::<8>()
        .map_or(0, |first| u64::from_le_bytes(*first))
}

/// Password hasher.
pub(crate) fn passwords(config: &Config, ids: Arc<dyn Ids>) -> anyhow::Result<Argon2Passwords> {
    let costs = Argon2Config {
        concurrency: config.auth.concurrent_hashes,
        ..Argon2Config::default()
    };
    Ok(Argon2Passwords::new(costs, ids)?)
}

/// Opens the database of the data directory for reading only.
pub(crate) async fn read_database(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<SqliteStore>> {
    let store = SqliteStore::open_read_only(sqlite(config, None), Arc::clone(clock), codec()).await;
    store.map(Arc::new).context("the database can't be opened")
}

fn sqlite(config: &Config, first_turn: Option<u64>) -> SqliteConfig {
    SqliteConfig {
        path: config.data.dir.join(DATABASE_FILE),
        namespace: config.storage.environment.clone(),
        readers: config.data.readers,
        first_turn,
    }
}

/// Codec of the current events.
pub(crate) fn codec() -> EventCodec {
    EventCodec::new(Upcasters::current())
}

/// Name of the database file in a data directory.
pub(crate) const DATABASE_FILE: &str = "record.sqlite";

/// Name of the directory of the embedded storage in a data directory.
pub(crate) const OBJECTS_DIR: &str = "objects";

/// Ports of the use cases, on the adapters of this configuration.
pub(crate) async fn ports(
    config: &Config,
    secrets: &Secrets,
    parts: &SharedParts,
    objects: Arc<EmbeddedObjects>,
    presigner: EmbeddedPresigner,
) -> anyhow::Result<Ports> {
    let passwords = passwords(config, Arc::clone(&parts.ids))?;
    let tokens = tokens(&secrets.token_keys())?;
    let database = signalling(DatabasePorts::of(Arc::clone(&parts.store)), &parts.signals);
    Ok(Ports {
        clock: Arc::clone(&parts.clock),
        ids: Arc::clone(&parts.ids),
        database,
        multipart: Arc::clone(&objects) as _,
        objects,
        presigner: Arc::new(presigner),
        passwords: Arc::new(passwords),
        tokens: Arc::new(tokens),
        inspector: inspection::start(&config.imaging).await?,
        ticks: Arc::new(LocalTicks::default()),
        free_space: Arc::new(FreeSpace::new(&config.data.dir, &objects_dir(config))),
        // The embedded storage reports to this process, without a broker.
        dead_letters: Arc::new(NoDeadLetters),
    })
}

/// Issuer and verifier of access tokens.
pub(crate) fn tokens(keys: &TokenKeys) -> anyhow::Result<Hs256Tokens> {
    let previous = keys.previous.as_ref().map(|previous| {
        Ok::<_, SigningKeyError>(PreviousKey {
            key: SigningKey::new(&previous.key)?,
            valid_until: previous.valid_until,
        })
    });
    let current = SigningKey::new(&keys.current)?;
    Ok(Hs256Tokens::new(ISSUER, current, previous.transpose()?))
}

/// The ports of a database whose commits are announced in this process.
pub(crate) fn signalling(database: DatabasePorts, signals: &Signals) -> DatabasePorts {
    let log = Arc::clone(&database.log);
    DatabasePorts {
        journal: Arc::new(SignallingJournal::new(database.journal, log, signals.clone())),
        ..database
    }
}

/// `iss` claim of access tokens.
const ISSUER: &str = "rapidphoto";

/// Objects that several adapters share.
pub(crate) struct SharedParts {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) signals: Signals,
}
