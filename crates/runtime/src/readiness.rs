//! Readiness of the database, the object storage and the photo inspection.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rapidphoto_application::ports::{EventLog, ObjectStore, PhotoInspector, Ports, Unavailable};
use rapidphoto_http::{Dependency, DependencyState, Readiness};

/// Checks the database, the object storage and the photo inspection.
pub(crate) struct Dependencies {
    log: Arc<dyn EventLog>,
    objects: Arc<dyn ObjectStore>,
    inspector: Arc<dyn PhotoInspector>,
}

/// Time after which a check counts as failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

impl Dependencies {
    pub(crate) fn new(ports: &Ports) -> Arc<Self> {
        Arc::new(Self {
            log: Arc::clone(&ports.database.log),
            objects: Arc::clone(&ports.objects),
            inspector: Arc::clone(&ports.inspector),
        })
    }
}

#[async_trait]
impl Readiness for Dependencies {
    async fn dependencies(&self) -> Vec<Dependency> {
        let database = async { self.log.head().await.map(drop) };
        let inspection = async { self.inspector.check() };
        let (database, storage, inspection) =
            tokio::join!(state(database), state(self.objects.check()), state(inspection));
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
            // Photos wait until they can be inspected again.
            Dependency {
                name: "photo inspection",
                state: inspection,
                required: false,
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
