//! `rapidphoto-worker`: storage events, the processing of photos, and the reactions to events.

use std::sync::Arc;

use anyhow::Context as _;
use rapidphoto_application::{
    Housekeeping,
    intake::StorageEventHandler,
    ports::Ids as _,
    subscriptions::{Reactor, Relay},
    uploads::UploadSweep,
    work::WorkRunner,
};
use rapidphoto_http::Process;
use rapidphoto_queue_rabbitmq::{NotificationConsumer, RabbitEvents};
use rapidphoto_queue_sqs::SqsConsumer;
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{adapters::Adapters, readiness::Services};
use crate::{
    Config, ConfigError, Program, Running, SystemClock, SystemIds,
    config::EventSource,
    database::Database,
    housekeeping, inspection, listeners, operations, reactors,
    secrets::TokenKeys,
    serve::{self, Metrics},
    task_group::TaskGroup,
    wiring,
};

/// Works until SIGTERM or SIGINT, then drains. Once ready, prints the address for operators as one line of JSON on stdout.
///
/// On SIGHUP, `reload` loads the configuration again, as `rapidphoto serve` does.
pub async fn serve_worker(
    config: Config,
    reload: impl Fn() -> Result<Config, ConfigError>,
) -> anyhow::Result<()> {
    serve::run(NAME, config, reload, start).await
}

const NAME: &str = "rapidphoto-worker";

async fn start(config: Config, metrics: Metrics) -> anyhow::Result<Running> {
    config.check_for(Program::Worker)?;
    let listener = listeners::operations(&config)?;
    let inspector = inspection::start(&config.imaging).await?;
    // A worker issues and verifies no tokens; what it has instead is of no use to anybody.
    let keys = TokenKeys {
        current: SystemIds::new(Arc::new(SystemClock)).secret(),
        previous: None,
    };
    let adapters = Adapters::connect(&config, NAME, &keys, inspector).await?;
    let (ports, settings) = (&adapters.ports, &adapters.settings);
    let database: Arc<dyn Database> = Arc::clone(&adapters.store) as _;

    let failed = CancellationToken::new();
    let mut operations = TaskGroup::new(&failed);
    adapters.start_exchange(&mut operations);
    let mut workers = TaskGroup::new(&failed);
    let runner = WorkRunner::new(ports, settings, adapters.signals.clone());
    workers.spawn("worker", |stop| async move { runner.run(stop).await });
    let relay = adapters.broker.as_ref().map(|broker| {
        let publisher = Arc::new(RabbitEvents::new(broker, wiring::codec()));
        Arc::new(Relay::new(publisher)) as Arc<dyn Reactor>
    });
    reactors::spawn(&mut workers, ports, settings, &adapters.signals, relay);
    let housekeeping = Housekeeping::new(ports, &settings.uploads);
    let sweep = UploadSweep::new(ports, settings);
    let kept = Arc::clone(&database);
    workers.spawn("housekeeping", |stop| {
        housekeeping::run(housekeeping, sweep, kept, stop)
    });
    consume(&adapters, &config, &mut workers)?;

    let draining = watch::Sender::new(false);
    let readiness = Services {
        database: Arc::clone(&adapters.store),
        objects: Arc::clone(&ports.objects),
        inspector: Some(Arc::clone(&ports.inspector)),
        tail: None,
    };
    let process = Process {
        readiness: readiness.cached(),
        metrics,
        draining: draining.subscribe(),
    };
    let operations_address = operations::serve(&mut operations, listener, process)?;
    Ok(Running {
        announcement: json!({ "operations": operations_address }),
        workers,
        operations,
        failed,
        draining,
        ..Running::idle(&config, adapters.ids, database)
    })
}

/// Starts the consumer of storage events.
fn consume(adapters: &Adapters, config: &Config, tasks: &mut TaskGroup) -> anyhow::Result<()> {
    let messages = Arc::new(StorageEventHandler::new(&adapters.ports, &adapters.settings));
    match config.events.source {
        EventSource::Rabbitmq => {
            let broker = adapters.broker.as_ref().context("broker.url")?;
            let clock = Arc::clone(&adapters.clock) as _;
            let consumer = NotificationConsumer::new(broker, messages, clock, config.events.prefetch);
            tasks.spawn("storage events", |stop| async move { consumer.run(stop).await });
        }
        EventSource::Sqs => {
            let queue = adapters.queue.clone().context("events.sqs_queue_url")?;
            let consumer = SqsConsumer::new(queue, messages);
            tasks.spawn("storage events", |stop| async move { consumer.run(stop).await });
        }
    }
    Ok(())
}
