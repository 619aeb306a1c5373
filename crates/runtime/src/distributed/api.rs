//! `rapidphoto-api`: commands, queries and live events over HTTP.

use std::{net::TcpListener, sync::Arc};

use anyhow::Context as _;
use rapidphoto_application::{
    UseCases,
    live::{LiveTail, WatchHandler},
    progress::ProgressBoard,
};
use rapidphoto_http::{App, Process};
use rapidphoto_listener::Acceptor;
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    adapters::{Adapters, NoInspector},
    migrate,
    readiness::Services,
};
use crate::{
    Config, ConfigError, Program, Running,
    addresses::{Addresses, local_url},
    config::key,
    housekeeping, listeners, operations,
    running::serve_http,
    secrets::{PreviousKey, TokenKeys},
    serve::{self, Metrics},
    task_group::TaskGroup,
    wiring,
};

/// Options of the API's command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApiOptions {
    /// Migrate the database first.
    pub migrate: bool,
}

/// Serves the API until SIGTERM or SIGINT, then drains. Once ready, prints the addresses as one line of JSON on stdout.
///
/// On SIGHUP, `reload` loads the configuration again, as `rapidphoto serve` does.
pub async fn serve_api(
    config: Config,
    options: ApiOptions,
    reload: impl Fn() -> Result<Config, ConfigError>,
) -> anyhow::Result<()> {
    serve::run(NAME, config, reload, |config, metrics| {
        start(config, options, metrics)
    })
    .await
}

const NAME: &str = "rapidphoto-api";

async fn start(config: Config, options: ApiOptions, metrics: Metrics) -> anyhow::Result<Running> {
    config.check_for(Program::Api)?;
    if options.migrate {
        migrate(&config).await?;
    }
    let (keys, refresh_key) = keys(&config)?;
    let listeners = listeners::ApiListeners::open(&config)?;
    let adapters = Adapters::connect(&config, NAME, &keys, Arc::new(NoInspector)).await?;
    probe(&adapters, &config).await;
    let (ports, settings) = (&adapters.ports, &adapters.settings);

    let failed = CancellationToken::new();
    let mut operations = TaskGroup::new(&failed);
    adapters.start_exchange(&mut operations);

    let board = Arc::new(ProgressBoard::default());
    let tail = Arc::new(LiveTail::new(
        ports,
        Arc::clone(&board),
        adapters.signals.clone(),
        config.work.poll,
    ));
    let mut api_tasks = TaskGroup::new(&failed);
    let followed = Arc::clone(&tail);
    api_tasks.spawn("live tail", |stop| async move { followed.run(stop).await });
    // The workers delete expired rows.
    let (kept, limit, clock) = (
        Arc::clone(&board),
        settings.uploads.inactivity_limit(),
        Arc::clone(&ports.clock),
    );
    api_tasks.spawn("progress of uploads", move |stop| {
        housekeeping::remove_inactive(kept, clock, limit, stop)
    });

    let draining = watch::Sender::new(false);
    let readiness = Services {
        database: Arc::clone(&adapters.store),
        objects: Arc::clone(&ports.objects),
        inspector: None,
        tail: Some(Arc::clone(&tail)),
    };
    let app = App {
        use_cases: Arc::new(UseCases::new(ports, settings, &board, refresh_key)),
        watch: WatchHandler::new(ports, board, tail),
        readiness: readiness.cached(),
        metrics,
        main_runtime: tokio::runtime::Handle::current(),
        ids: Arc::clone(&adapters.ids),
        draining: draining.subscribe(),
        cursor_key: refresh_key,
        config: wiring::http(&config),
    };
    let addresses = addresses(&config, &listeners.api)?;
    let process = Process {
        readiness: Arc::clone(&app.readiness),
        metrics: Arc::clone(&app.metrics),
        draining: draining.subscribe(),
    };
    let operations_address = operations::serve(&mut operations, listeners.operations, process)?;
    let announcement = json!({ "api": addresses.api_public, "operations": operations_address });
    let certificates = listeners.api_tls.iter().cloned().collect::<Vec<_>>();
    listeners::watch(&mut api_tasks, &certificates);
    let watches = app.use_cases.session_watches.clone();
    api_tasks.spawn("session ends", |stop| async move { watches.run(stop).await });
    let acceptor = Acceptor::new("api", listeners::api_limits(&config), listeners.api_tls);
    api_tasks.spawn("API", |stop| serve_http(listeners.api, acceptor, app, stop));
    Ok(Running {
        addresses,
        announcement,
        certificates,
        api_tasks,
        operations,
        failed,
        draining,
        ..Running::idle(&config, adapters.ids, adapters.store)
    })
}

/// Keys of access tokens, and the key of refresh tokens and cursors.
fn keys(config: &Config) -> anyhow::Result<(TokenKeys, [u8; 32])> {
    let secrets = &config.secrets;
    let previous = key(secrets.previous_token_key.as_ref()).zip(secrets.previous_valid_until);
    let keys = TokenKeys {
        current: key(secrets.token_key.as_ref()).context("secrets.token_key")?,
        previous: previous.map(|(key, valid_until)| PreviousKey { key, valid_until }),
    };
    Ok((
        keys,
        key(secrets.refresh_key.as_ref()).context("secrets.refresh_key")?,
    ))
}

/// Finds out if the store refuses uploads that would replace an object. A store that is away is asked at the next start.
async fn probe(adapters: &Adapters, config: &Config) {
    let key = format!("{}/probe", config.storage.environment);
    if let Err(error) = adapters.objects.probe(&key).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the object storage can't be reached; uploads must not replace objects until it was asked if it supports that"
        );
    }
}

fn addresses(config: &Config, api: &TcpListener) -> anyhow::Result<Addresses> {
    let local = local_url(api.local_addr()?);
    let storage = &config.storage;
    Ok(Addresses {
        api_public: config.server.public_url.clone().unwrap_or_else(|| local.clone()),
        api_local: local,
        s3_public: storage.public_endpoint.clone().unwrap_or_default(),
    })
}
