use std::{io::Write, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use rapidphoto_telemetry::{LogFormat, Telemetry, TelemetryConfig, TraceConfig};

use crate::{Config, ConfigError, Running, config, start, terminated, termination::Hangups};

/// Serves until SIGTERM or SIGINT, then drains. Once ready, prints the addresses as one line of JSON on stdout.
///
/// On SIGHUP, `reload` loads the configuration again; of it, the log filter is applied. Certificates are loaded again, too.
pub async fn serve(config: Config, reload: impl Fn() -> Result<Config, ConfigError>) -> anyhow::Result<()> {
    run("rapidphoto", config, reload, start).await
}

/// Renders the metrics of the process in Prometheus's text format.
pub(crate) type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Runs a program until SIGTERM or SIGINT, see [`serve`].
pub(crate) async fn run<F>(
    program: &'static str,
    config: Config,
    reload: impl Fn() -> Result<Config, ConfigError>,
    start: impl FnOnce(Config, Metrics) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<Running>>,
{
    // Tests set `FAILPOINTS` to the steps at which the process must abort.
    #[cfg(feature = "failpoints")]
    let _failpoints = fail::FailScenario::setup();
    let telemetry = telemetry(program, &config)?;
    let metrics = telemetry.metrics();
    // Installed before the start, so that an early signal is not lost.
    let mut terminated = tokio::spawn(terminated());
    let mut hangups = Hangups::install();
    let running = start(config, Arc::new(move || metrics.render())).await?;
    writeln!(std::io::stdout().lock(), "{}", running.announcement).context("stdout can't be written")?;
    let ended = loop {
        tokio::select! {
            signalled = &mut terminated => break signalled.map_err(Into::into),
            () = running.wait_for_failure() => break Err(anyhow!(
                "a task of the server ended unexpectedly; see the log for its name and the reason"
            )),
            () = hangups.next() => tokio::task::block_in_place(|| apply(&reload(), &telemetry, &running)),
        }
    };
    running.stop().await;
    flush(telemetry).await;
    ended
}

/// Applies what can change while the server runs. Blocks on file-system calls.
fn apply(loaded: &Result<Config, ConfigError>, telemetry: &Telemetry, running: &Running) {
    match loaded {
        Err(error) => {
            let error = error as &dyn std::error::Error;
            tracing::error!(
                error,
                "SIGHUP: the configuration is invalid, so that nothing changes"
            );
        }
        Ok(config) => {
            if let Err(error) = telemetry.set_filter(&config.log.filter) {
                tracing::error!(%error, "SIGHUP: the log filter can't be changed");
            } else {
                tracing::info!(
                    filter = config.log.filter,
                    "SIGHUP: log filter reloaded; other settings change at the next start"
                );
            }
        }
    }
    running.reload_certificates();
}

/// Starts logs, metrics and traces; once per process.
pub(crate) fn telemetry(program: &'static str, config: &Config) -> anyhow::Result<Telemetry> {
    // For the exporter of traces.
    rapidphoto_listener::install_crypto_provider();
    let log = &config.log;
    let telemetry = TelemetryConfig {
        filter: log.filter.clone(),
        format: match log.format {
            config::LogFormat::Text => LogFormat::Human,
            config::LogFormat::Json => LogFormat::Json,
        },
        traces: log.otlp_endpoint.clone().map(TraceConfig::new),
        ..TelemetryConfig::new(program, env!("CARGO_PKG_VERSION"))
    };
    Ok(Telemetry::start(&telemetry)?)
}

/// Sends the remaining spans, for at most 2 s. An unavailable collector is only logged.
pub(crate) async fn flush(telemetry: Telemetry) {
    let flushed = tokio::task::spawn_blocking(move || telemetry.shutdown(Duration::from_secs(2)));
    match flushed.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "not all traces were sent"),
        Err(error) => tracing::warn!(%error, "telemetry shutdown panicked"),
    }
}
