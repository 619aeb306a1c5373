use std::{sync::Arc, time::Duration};

use tokio::sync::broadcast::{self, error::RecvError};

use crate::ports::{Ports, SessionId, Sessions, Unavailable};

/// Number of ends that a slow receiver may be behind; beyond, it checks the database.
const CAPACITY: usize = 256;

/// Interval of the checks for sessions that ended in another process, or by their expiry.
const CHECK_INTERVAL: Duration = Duration::from_secs(15);

/// Tells the open streams of this process which sessions have ended. Clones share their subscribers.
#[derive(Debug, Clone)]
pub struct SessionEnds(broadcast::Sender<SessionId>);

impl Default for SessionEnds {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl SessionEnds {
    /// The session was logged out, replaced or revoked.
    pub(super) fn ended(&self, session: SessionId) {
        // Fails only if nobody listens.
        let _ = self.0.send(session);
    }
}

/// Watches sessions for as long as something, such as a stream, depends on them.
#[derive(Clone)]
pub struct SessionWatches {
    sessions: Arc<dyn Sessions>,
    ends: SessionEnds,
}

impl SessionWatches {
    /// Creates watches that `ends` tells about the ends in this process.
    pub fn new(ports: &Ports, ends: SessionEnds) -> Self {
        Self {
            sessions: Arc::clone(&ports.database.sessions),
            ends,
        }
    }

    /// Watches a session. An end after this call is never missed.
    pub fn watch(&self, session: SessionId) -> SessionWatch {
        SessionWatch {
            session,
            sessions: Arc::clone(&self.sessions),
            ends: self.ends.0.subscribe(),
        }
    }
}

/// Watch of one session.
pub struct SessionWatch {
    session: SessionId,
    sessions: Arc<dyn Sessions>,
    ends: broadcast::Receiver<SessionId>,
}

impl SessionWatch {
    /// Waits until the session has ended: at once if it was ended in this process, within 15 s if it was ended in
    /// another one or has expired. An unavailable database ends nothing.
    pub async fn ended(&mut self) {
        loop {
            if matches!(self.is_open().await, Ok(false)) {
                return;
            }
            // Lagging: this session's end may be among the lost ones, so that the database is checked again.
            match tokio::time::timeout(CHECK_INTERVAL, self.told()).await {
                Ok(Ok(())) => return,
                Ok(Err(RecvError::Lagged(_))) | Err(_) => {}
                // Without senders nothing can be told; the checks go on.
                Ok(Err(RecvError::Closed)) => tokio::time::sleep(CHECK_INTERVAL).await,
            }
        }
    }

    async fn is_open(&self) -> Result<bool, Unavailable> {
        let now = self.sessions.now().await?;
        self.sessions.is_open(self.session, now).await
    }

    /// Waits until this process is told that the session has ended.
    async fn told(&mut self) -> Result<(), RecvError> {
        loop {
            if self.ends.recv().await? == self.session {
                return Ok(());
            }
        }
    }
}
