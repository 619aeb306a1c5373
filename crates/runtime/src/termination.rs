//! The signals that end a server.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM or SIGINT. Where signals can't be listened to, nothing but the process' end ends it.
pub async fn terminated() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals can't be listened to");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
    }
}
