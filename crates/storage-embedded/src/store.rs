use std::fmt;
use std::future::Future;
use std::sync::Arc;

use rapidphoto_application::ports::{Clock, Ids, StorageMessages};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::access::{FixedKey, SignedOnly};
use crate::announcement::Announcer;
use crate::backend::Backend;
use crate::config::EmbeddedConfig;
use crate::directory::{Directory, OpenError};
use crate::server::{self, Front, Limits};

/// Enough for the list of ten thousand parts, the longest document that S3 knows.
const MAX_XML_BYTES: usize = 2 * 1024 * 1024;

/// An open store, ready to be served.
pub struct EmbeddedStore {
    front: Front,
    limits: Limits,
    tasks: TaskTracker,
}

impl EmbeddedStore {
    /// Opens the directory, which no other store may have open, and removes what unfinished uploads left in it.
    ///
    /// Each object that is put is handed to `messages`. This blocks for as long as the disk takes.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        config: &EmbeddedConfig,
        messages: Arc<dyn StorageMessages>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, OpenError> {
        config.check().map_err(OpenError::Configuration)?;
        let directory = Directory::open(&config.root, &config.bucket)?;
        let tasks = TaskTracker::new();
        let announcer = Announcer {
            messages,
            bucket: config.bucket.clone(),
            region: config.region.clone(),
            patience: config.announce_timeout,
            tasks: tasks.clone(),
        };
        let backend = Backend {
            directory: Arc::new(directory),
            announcer: Arc::new(announcer),
            clock,
            ids: Arc::clone(&ids),
            bucket: config.bucket.clone(),
            region: config.region.clone(),
            max_object_bytes: config.max_object_bytes,
            tasks: tasks.clone(),
        };
        let limits = Limits {
            header_timeout: config.header_timeout,
            idle_timeout: config.idle_timeout,
            shutdown_grace: config.shutdown_grace,
            max_connections: config.max_connections,
        };
        let front = Front::new(config, protocol(config, backend), ids, tasks.clone());
        Ok(Self { front, limits, tasks })
    }

    /// Serves until `shutdown` is ready, then lets the requests at hand finish, for a bounded time.
    ///
    /// Uploads whose bytes were all received are finished even if their client is gone. Must be called on a
    /// multi-threaded runtime.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        server::serve(Arc::new(self.front), self.limits, self.tasks, listener, shutdown).await;
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore").finish_non_exhaustive()
    }
}

fn protocol(config: &EmbeddedConfig, backend: Backend) -> S3Service {
    let mut limits = S3Config::default();
    limits.xml_max_body_size = MAX_XML_BYTES;
    let mut builder = S3ServiceBuilder::new(backend);
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(limits))));
    builder.set_auth(FixedKey::new(&config.access_key, &config.secret_key));
    builder.set_access(SignedOnly);
    builder.build()
}
