//! Readiness of the database, the object storage and the live events.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rapidphoto_application::{
    live::LiveTail,
    ports::{EventLog, ObjectStore, Ports, Unavailable},
};
use rapidphoto_http::{Dependency, DependencyState, Readiness};

/// Checks the database, the object storage and the live events.
pub(crate) struct Dependencies {
    log: Arc<dyn EventLog>,
    objects: Arc<dyn ObjectStore>,
    tail: Arc<LiveTail>,
}

/// Time after which a check counts as failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

impl Dependencies {
    pub(crate) fn new(ports: &Ports, tail: Arc<LiveTail>) -> Arc<Self> {
        Arc::new(Self {
            log: Arc::clone(&ports.database.log),
            objects: Arc::clone(&ports.objects),
            tail,
        })
    }
}

#[async_trait]
impl Readiness for Dependencies {
    async fn dependencies(&self) -> Vec<Dependency> {
        let database = async { self.log.head().await.map(drop) };
        let (database, storage) = tokio::join!(state(database), state(self.objects.check()));
        vec![
            Dependency {
                name: "record",
                state: database,
                required: true,
            },
            // Jobs can be created while the storage is unavailable: signing URLs needs no request to it.
            Dependency {
                name: "object storage",
                state: storage,
                required: false,
            },
            // Required: an event of a newer version can't be processed here, and clients must connect to another process.
            Dependency {
                name: "live events",
                state: match self.tail.check() {
                    Ok(()) => DependencyState::Up,
                    Err(error) => DependencyState::Down {
                        reason: error.source.to_string(),
                    },
                },
                required: true,
            },
        ]
    }
}

async fn state(answer: impl Future<Output = Result<(), Unavailable>>) -> DependencyState {
    match tokio::time::timeout(CHECK_TIMEOUT, answer).await {
        Ok(Ok(())) => DependencyState::Up,
        Ok(Err(error)) => DependencyState::Down {
            reason: error.to_string(),
        },
        Err(_) => DependencyState::Down {
            reason: format!("no answer within {} s", CHECK_TIMEOUT.as_secs()),
        },
    }
}
