//! A collector that never responds does not delay shutdown.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use rapidphoto_telemetry::{Telemetry, TelemetryConfig, TraceConfig};

#[test]
fn shutdown_does_not_wait_for_an_unresponsive_collector() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let config = TelemetryConfig {
        traces: Some(TraceConfig::new(endpoint)),
        ..TelemetryConfig::new("rapidphoto-test", "0")
    };
    let telemetry = Telemetry::start(&config).unwrap();
    tracing::info_span!("lost").in_scope(|| {});
    let start = Instant::now();
    assert!(telemetry.shutdown(Duration::from_millis(300)).is_err());
    // A single export has a time-out of 5 s.
    assert!(
        start.elapsed() < Duration::from_millis(4500),
        "{:?}",
        start.elapsed()
    );
}
