use std::{io::Write, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use rapidphoto_telemetry::{LogFormat, Telemetry, TelemetryConfig, TraceConfig};
use serde_json::json;

use crate::{Config, config, start, terminated};

/// Serves until SIGTERM or SIGINT, then drains. Says where on stdout once it is ready.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    // Tests say in `FAILPOINTS` where the process shall die.
    #[cfg(feature = "failpoints")]
    let _failpoints = fail::FailScenario::setup();
    let telemetry = telemetry(&config)?;
    let metrics = telemetry.metrics();
    // Listened to from the start, so that a signal that comes early is not lost.
    let terminated = tokio::spawn(terminated());
    let running = start(config, Arc::new(move || metrics.render())).await?;
    let line = json!({ "api": running.api_url(), "s3": running.s3_url() });
    writeln!(std::io::stdout().lock(), "{line}").context("nobody reads stdout")?;
    let ended = tokio::select! {
        told = terminated => told.map_err(Into::into),
        () = running.broken() => Err(anyhow!("a part of the server ended unasked; its log says which and why")),
    };
    running.stop().await;
    flush(telemetry).await;
    ended
}

/// Starts logs, metrics and traces, once for the process.
pub(crate) fn telemetry(config: &Config) -> anyhow::Result<Telemetry> {
    let log = &config.log;
    let telemetry = TelemetryConfig {
        filter: log.filter.clone(),
        format: match log.format {
            config::LogFormat::Text => LogFormat::Human,
            config::LogFormat::Json => LogFormat::Json,
        },
        traces: log.otlp_endpoint.clone().map(TraceConfig::new),
        ..TelemetryConfig::new("rapidphoto", env!("CARGO_PKG_VERSION"))
    };
    Ok(Telemetry::start(&telemetry)?)
}

/// Sends what telemetry still holds. That a collector is away is no failure of the server.
pub(crate) async fn flush(telemetry: Telemetry) {
    let flushed = tokio::task::spawn_blocking(move || telemetry.shutdown(Duration::from_secs(2)));
    match flushed.await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => tracing::warn!(error = %why, "not all traces were sent"),
        Err(why) => tracing::warn!(error = %why, "telemetry did not end in order"),
    }
}
