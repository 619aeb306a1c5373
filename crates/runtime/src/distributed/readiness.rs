//! Readiness of the services that a process depends on.

use std::sync::Arc;

use async_trait::async_trait;
use rapidphoto_application::{
    live::LiveTail,
    ports::{ObjectStore, PhotoInspector},
};
use rapidphoto_http::{CachedReadiness, Dependency, Readiness};
use rapidphoto_persistence::PgStore;

use crate::readiness::{chain, state};

/// Checks of the services that both programs use, and of what only one of them has.
pub(super) struct Services {
    pub(super) database: Arc<PgStore>,
    pub(super) objects: Arc<dyn ObjectStore>,
    /// Of the worker.
    pub(super) inspector: Option<Arc<dyn PhotoInspector>>,
    /// Of the API.
    pub(super) tail: Option<Arc<LiveTail>>,
}

impl Services {
    /// The checks, made at most once a second.
    pub(super) fn cached(self) -> Arc<dyn Readiness> {
        Arc::new(CachedReadiness::new(Arc::new(self)))
    }
}

#[async_trait]
impl Readiness for Services {
    async fn dependencies(&self) -> Vec<Dependency> {
        let database = async { self.database.check_write().await.map_err(chain) };
        let objects = async { self.objects.check().await.map_err(chain) };
        let (database, objects) = tokio::join!(state(database), state(objects));
        let mut dependencies = vec![
            ("record", database, true),
            // Jobs can be created without it, and photos wait until it is back.
            ("object storage", objects, false),
        ];
        if let Some(inspector) = &self.inspector {
            let inspection = state(async { inspector.check().map_err(chain) }).await;
            dependencies.push(("photo inspection", inspection, true));
        }
        if let Some(tail) = &self.tail {
            let live = state(async { tail.check().map_err(|error| error.source.to_string()) }).await;
            // An event of a newer version can't be processed here, and clients must connect to another process.
            dependencies.push(("live events", live, true));
        }
        dependencies
            .into_iter()
            .map(|(name, state, required)| Dependency {
                name,
                state,
                required,
            })
            .collect()
    }
}
