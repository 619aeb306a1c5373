use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rapidphoto_application::ports::{Clock, Ids, StorageMessages};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio_util::task::TaskTracker;

use crate::access::{RequireSignatureV4, StaticKeyPair};
use crate::backend::{Backend, Space};
use crate::config::EmbeddedConfig;
use crate::directory::{Directory, OpenError};
use crate::notifications::EventNotifier;
use crate::objects::EmbeddedObjects;
use crate::server::{self, Handler, Listener};

/// Maximum size of a request body that `s3s` keeps in memory, and of each part of a form. No operation of this store has
/// such a body.
const MAX_BUFFERED_BYTES: usize = 1024;

/// Checks if uploads can be written.
#[derive(Clone)]
pub struct WriteCheck {
    directory: Arc<Directory>,
    ids: Arc<dyn Ids>,
}

impl WriteCheck {
    /// Writes, syncs and removes a small file. Blocks on file-system calls.
    ///
    /// # Errors
    /// If the directory is gone, read-only or full.
    pub fn run(&self) -> io::Result<()> {
        self.directory.check_write(self.ids.ulid())
    }
}

impl fmt::Debug for WriteCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteCheck").finish_non_exhaustive()
    }
}

/// An open store, ready to serve requests.
pub struct EmbeddedStore {
    check: WriteCheck,
    handler: Handler,
    shutdown_grace: Duration,
    tasks: TaskTracker,
}

impl EmbeddedStore {
    /// Opens the objects' directory ([`EmbeddedObjects::open`]), to be served by [`Self::new`]. Blocks on file-system calls.
    ///
    /// # Errors
    /// [`OpenError`] if the configuration is invalid or the directory can't be opened.
    pub fn open(
        config: &EmbeddedConfig,
        messages: Arc<dyn StorageMessages>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, OpenError> {
        Ok(Self::new(
            config,
            EmbeddedObjects::open(config, clock, ids)?,
            messages,
        ))
    }

    /// Server of open objects. `messages` receives an event notification of each object that a request creates.
    pub fn new(
        config: &EmbeddedConfig,
        objects: EmbeddedObjects,
        messages: Arc<dyn StorageMessages>,
    ) -> Self {
        let EmbeddedObjects {
            directory,
            clock,
            ids,
        } = objects;
        let tasks = TaskTracker::new();
        let notifier = EventNotifier {
            messages,
            bucket: config.bucket.clone(),
            region: config.region.clone(),
            timeout: config.notification_timeout,
            tasks: tasks.clone(),
        };
        let check = WriteCheck {
            directory: Arc::clone(&directory),
            ids: Arc::clone(&ids),
        };
        let backend = Backend {
            directory,
            notifier: Arc::new(notifier),
            clock,
            ids: Arc::clone(&ids),
            bucket: config.bucket.clone(),
            region: config.region.clone(),
            max_object_bytes: config.max_object_bytes,
            space: Arc::new(Space::new(config.root.clone(), config.min_free_bytes)),
            receiving: Arc::default(),
            tasks: tasks.clone(),
        };
        let handler = Handler::new(config, s3_service(config, backend), ids, tasks.clone());
        Self {
            check,
            handler,
            shutdown_grace: config.shutdown_grace,
            tasks,
        }
    }

    /// Check of the directory, for use while the store serves requests.
    pub fn write_check(&self) -> WriteCheck {
        self.check.clone()
    }

    /// Serves requests on all listeners until `shutdown` completes, then finishes open requests within the shutdown grace period.
    ///
    /// Completely received uploads are finished even if their client disconnects. Must be called on a multi-threaded
    /// runtime.
    pub async fn serve(self, listeners: Vec<Listener>, shutdown: impl Future<Output = ()> + Send) {
        server::serve(
            Arc::new(self.handler),
            self.shutdown_grace,
            self.tasks,
            listeners,
            shutdown,
        )
        .await;
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore").finish_non_exhaustive()
    }
}

fn s3_service(config: &EmbeddedConfig, backend: Backend) -> S3Service {
    let mut limits = S3Config::default();
    limits.xml_max_body_size = MAX_BUFFERED_BYTES;
    limits.post_object_max_file_size = 0;
    limits.form_max_field_size = MAX_BUFFERED_BYTES;
    limits.form_max_fields_size = MAX_BUFFERED_BYTES;
    limits.form_max_parts = 1;
    let mut builder = S3ServiceBuilder::new(backend);
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(limits))));
    builder.set_auth(StaticKeyPair::new(&config.access_key, &config.secret_key));
    builder.set_access(RequireSignatureV4);
    builder.build()
}
