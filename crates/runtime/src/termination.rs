//! Signals that stop the server or make it reload its configuration.

use tokio::signal::unix::{Signal, SignalKind, signal};

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

/// SIGHUP, which would end the process if it had no handler.
pub(crate) struct Hangups(Option<Signal>);

impl Hangups {
    /// Installs the signal handler.
    pub(crate) fn install() -> Self {
        match signal(SignalKind::hangup()) {
            Ok(signal) => Self(Some(signal)),
            Err(error) => {
                tracing::error!(%error, "the handler of SIGHUP can't be installed; SIGHUP ends the process");
                Self(None)
            }
        }
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) {
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
