//! Connections to the services of the deployment.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::{
    admin::NoDeadLetters,
    ports::{
        Clock, DatabasePorts, DeadLetters, FreeSpace, Ids, InspectError, Inspection, InspectionLimits,
        PhotoInspector, Ports, ProgressTicks, Unavailable,
    },
    progress::LocalTicks,
    settings::Settings,
    signals::Signals,
};
use rapidphoto_persistence::{PgConfig, PgStore};
use rapidphoto_queue_rabbitmq::{Broker, RabbitDeadLetters, RabbitTicks};
use rapidphoto_queue_sqs::{SqsConfig, SqsCredentials, SqsDeadLetters, SqsQueue};
use rapidphoto_storage_s3::S3Store;
use tokio_util::sync::CancellationToken;

use super::clock::DeploymentClock;
use crate::{
    Config, SystemIds, broker,
    config::{CredentialsSource, EventSource},
    secrets::TokenKeys,
    task_group::TaskGroup,
    wiring,
};

/// Adapters of one process.
pub(super) struct Adapters {
    pub(super) clock: Arc<DeploymentClock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) settings: Arc<Settings>,
    pub(super) store: Arc<PgStore>,
    pub(super) signals: Signals,
    /// `None` without RabbitMQ.
    pub(super) broker: Option<Broker>,
    ticks: Option<Arc<RabbitTicks>>,
    /// `None` without SQS.
    pub(super) queue: Option<SqsQueue>,
    pub(super) objects: Arc<S3Store>,
    pub(super) ports: Ports,
}

impl Adapters {
    /// Connects to the database, and checks the settings of the broker and of the object store, which may be away for now.
    pub(super) async fn connect(
        config: &Config,
        program: &str,
        keys: &TokenKeys,
        inspector: Arc<dyn PhotoInspector>,
    ) -> anyhow::Result<Self> {
        rapidphoto_listener::install_crypto_provider();
        let of_deployment = Arc::new(DeploymentClock::default());
        let clock: Arc<dyn Clock> = Arc::clone(&of_deployment) as _;
        let ids: Arc<dyn Ids> = Arc::new(SystemIds::new(Arc::clone(&clock)));
        let settings = wiring::settings(config)?;
        let store = Arc::new(open_database(config, program, Some(wiring::random_turn(ids.as_ref()))).await?);
        of_deployment
            .compare(&store)
            .await
            .context("the time of the database can't be read")?;
        let broker = broker::open(config).await?;
        let queue = match config.events.source {
            EventSource::Sqs => Some(open_queue(config).await?),
            EventSource::Rabbitmq => None,
        };
        let dead_letters: Arc<dyn DeadLetters> = match (&queue, &broker) {
            (Some(queue), _) => Arc::new(SqsDeadLetters::new(queue.clone())),
            (None, Some(broker)) => Arc::new(RabbitDeadLetters::new(broker)),
            (None, None) => Arc::new(NoDeadLetters),
        };
        let ticks = broker
            .as_ref()
            .map(|broker| Arc::new(RabbitTicks::new(broker, Arc::clone(&ids))));
        let objects = Arc::new(
            S3Store::new(&wiring::s3(config)?, Arc::clone(&clock))
                .context("the configuration of the object storage is invalid")?,
        );
        let signals = Signals::default();
        let database = wiring::signalling(DatabasePorts::of(Arc::clone(&store)), &signals);
        let ports = Ports {
            clock,
            ids: Arc::clone(&ids),
            database,
            objects: Arc::clone(&objects) as _,
            multipart: Arc::clone(&objects) as _,
            presigner: Arc::clone(&objects) as _,
            passwords: Arc::new(wiring::passwords(config, Arc::clone(&ids))?),
            tokens: Arc::new(wiring::tokens(keys)?),
            inspector,
            ticks: match &ticks {
                Some(ticks) => Arc::clone(ticks) as Arc<dyn ProgressTicks>,
                None => Arc::new(LocalTicks::default()),
            },
            free_space: Arc::new(ElsewhereSpace),
            dead_letters,
        };
        Ok(Self {
            clock: of_deployment,
            ids,
            settings,
            store,
            signals,
            broker,
            ticks,
            queue,
            objects,
            ports,
        })
    }

    /// Starts the exchange of wake-ups and progress with the other processes.
    pub(super) fn start_exchange(&self, tasks: &mut TaskGroup) {
        let wake_ups = self.store.wake_ups(self.signals.clone());
        tasks.spawn("wake-ups", |stop: CancellationToken| async move {
            stop.run_until_cancelled(wake_ups.run()).await;
        });
        let (clock, database) = (Arc::clone(&self.clock), Arc::clone(&self.store));
        tasks.spawn("clock", |stop: CancellationToken| async move {
            stop.run_until_cancelled(clock.follow(&database)).await;
        });
        let measured = Arc::clone(&self.store);
        tasks.spawn("age of held-back events", |stop: CancellationToken| async move {
            stop.run_until_cancelled(measured.watch_held_back()).await;
        });
        if let Some(ticks) = self.ticks.clone() {
            tasks.spawn("progress", |stop| async move { ticks.run(stop).await });
        }
    }
}

/// Opens the database, whose schema must be that of this program.
pub(super) async fn open_database(
    config: &Config,
    program: &str,
    first_turn: Option<u64>,
) -> anyhow::Result<PgStore> {
    PgStore::open(&database(config, program, first_turn)?, wiring::codec())
        .await
        .context("the database can't be opened")
}

/// Configuration of the database.
pub(super) fn database(config: &Config, program: &str, first_turn: Option<u64>) -> anyhow::Result<PgConfig> {
    let section = &config.database;
    Ok(PgConfig {
        url: section.url.clone().unwrap_or_default(),
        password: section.password.as_ref().map(|secret| secret.reveal().to_owned()),
        root_certificates: section
            .ca
            .as_deref()
            .map(|path| read("database.ca", path))
            .transpose()?,
        application_name: process_name(program),
        namespace: config.storage.environment.clone(),
        connections: section.connections,
        first_turn,
    })
}

/// Name of this process among those of the deployment: `program@host/pid`.
fn process_name(program: &str) -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    // PostgreSQL keeps 63 bytes, which the id must not fall out of.
    let host: String = host.chars().filter(char::is_ascii).take(30).collect();
    format!("{program}@{host}/{}", std::process::id())
}

fn read(key: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{key}: {} can't be read", path.display()))
}

/// Free space of an object store and a database elsewhere, which watch it themselves.
struct ElsewhereSpace;

impl FreeSpace for ElsewhereSpace {
    fn free_bytes(&self) -> Result<u64, Unavailable> {
        Ok(u64::MAX)
    }
}

/// Inspector of a process that inspects no photos.
pub(super) struct NoInspector;

#[async_trait]
impl PhotoInspector for NoInspector {
    async fn inspect(&self, _: Bytes, _: InspectionLimits) -> Result<Inspection, InspectError> {
        let reason = "photos are inspected by rapidphoto-worker";
        Err(InspectError::Unavailable(Unavailable::inspection(reason)))
    }
}

/// The queue of storage events in SQS.
async fn open_queue(config: &Config) -> anyhow::Result<SqsQueue> {
    let (events, storage) = (&config.events, &config.storage);
    let credentials = match (storage.credentials, &storage.access_key, &storage.secret_key) {
        (CredentialsSource::Static, Some(access_key), Some(secret_key)) => SqsCredentials::Fixed {
            access_key: access_key.reveal().to_owned(),
            secret_key: secret_key.reveal().to_owned(),
        },
        _ => SqsCredentials::Environment,
    };
    let url = events.sqs_queue_url.as_ref().context("events.sqs_queue_url")?;
    let queue = SqsConfig {
        endpoint: events.sqs_endpoint.clone(),
        ..SqsConfig::new(&storage.region, url, credentials)
    };
    SqsQueue::new(queue)
        .await
        .context("the configuration of SQS is invalid")
}
