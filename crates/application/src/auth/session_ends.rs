use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

use crate::ports::{Ports, SessionId, Sessions};

/// Number of ends that a slow receiver may be behind; beyond, it checks the database.
const CAPACITY: usize = 256;

/// Interval of the checks for sessions that ended in another process, or by their expiry. Each is one statement for all
/// watched sessions.
const CHECK_INTERVAL: Duration = Duration::from_secs(3);

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

/// Watches sessions for as long as something, such as a stream, depends on them. Clones share their watches.
#[derive(Clone)]
pub struct SessionWatches {
    sessions: Arc<dyn Sessions>,
    ends: SessionEnds,
    watched: Arc<Watched>,
}

/// Number of watches of each watched session.
#[derive(Default)]
struct Watched(Mutex<HashMap<SessionId, usize>>);

impl Watched {
    fn counts(&self) -> MutexGuard<'_, HashMap<SessionId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionWatches {
    /// Creates watches that `ends` tells about the ends in this process.
    pub fn new(ports: &Ports, ends: SessionEnds) -> Self {
        Self {
            sessions: Arc::clone(&ports.database.sessions),
            ends,
            watched: Arc::default(),
        }
    }

    /// Watches a session. An end after this call is never missed.
    pub fn watch(&self, session: SessionId) -> SessionWatch {
        let ends = self.ends.0.subscribe();
        *self.watched.counts().entry(session).or_default() += 1;
        SessionWatch {
            session,
            sessions: Arc::clone(&self.sessions),
            ends,
            watched: Arc::clone(&self.watched),
        }
    }

    /// Checks the watched sessions in the database every 3 s, until `stop` is cancelled. An unavailable database ends
    /// nothing.
    pub async fn run(&self, stop: CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(CHECK_INTERVAL))
            .await
            .is_some()
        {
            let watched: Vec<SessionId> = self.watched.counts().keys().copied().collect();
            if watched.is_empty() {
                continue;
            }
            match self.sessions.ended_among(&watched).await {
                Ok(ended) => ended.into_iter().for_each(|session| self.ends.ended(session)),
                Err(error) => tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the sessions of open streams can't be checked; trying again in 3 s"
                ),
            }
        }
    }
}

/// Watch of one session.
pub struct SessionWatch {
    session: SessionId,
    sessions: Arc<dyn Sessions>,
    ends: broadcast::Receiver<SessionId>,
    watched: Arc<Watched>,
}

impl SessionWatch {
    /// Waits until the session has ended: at once if it was ended in this process, and while [`SessionWatches::run`] runs,
    /// within seconds if it was ended in another one or has expired.
    pub async fn ended(&mut self) {
        loop {
            let ended = self.sessions.ended_among(&[self.session]).await;
            if ended.is_ok_and(|ended| !ended.is_empty()) {
                return;
            }
            match self.told().await {
                Ok(()) => return,
                // This session's end may be among the lost ones, so that the database is checked again.
                Err(RecvError::Lagged(_)) => {}
                // Nobody is left who could tell.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
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

impl Drop for SessionWatch {
    fn drop(&mut self) {
        let mut counts = self.watched.counts();
        if let Some(count) = counts.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.session);
            }
        }
    }
}
