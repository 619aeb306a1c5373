//! Whether what the process stands on answers.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rapidphoto_application::ports::{EventLog, ObjectStore, Ports, Unavailable};
use rapidphoto_http::{Dependency, DependencyState, Readiness};

/// Asks the record and the storage.
pub(crate) struct Dependencies {
    log: Arc<dyn EventLog>,
    objects: Arc<dyn ObjectStore>,
}

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(3);

impl Dependencies {
    pub(crate) fn new(ports: &Ports) -> Arc<Self> {
        Arc::new(Self {
            log: Arc::clone(&ports.database.log),
            objects: Arc::clone(&ports.objects),
        })
    }
}

#[async_trait]
impl Readiness for Dependencies {
    async fn dependencies(&self) -> Vec<Dependency> {
        let record = async { self.log.head().await.map(drop) };
        let (record, storage) = tokio::join!(state(record), state(self.objects.check()));
        vec![
            Dependency {
                name: "record",
                state: record,
                required: true,
            },
            // Jobs can be created while storage is away: URLs are signed without asking it.
            Dependency {
                name: "object storage",
                state: storage,
                required: false,
            },
        ]
    }
}

async fn state(answer: impl Future<Output = Result<(), Unavailable>>) -> DependencyState {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(())) => DependencyState::Up,
        Ok(Err(why)) => DependencyState::Down {
            reason: why.to_string(),
        },
        Err(_) => DependencyState::Down {
            reason: format!("no answer within {} s", PATIENCE.as_secs()),
        },
    }
}
