//! Signals that stop the server.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM or SIGINT; forever if no signal handler can be installed.
pub async fn terminated() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!(
            "signal handlers can't be installed; SIGTERM and SIGINT end the process without draining"
        );
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
    }
}
