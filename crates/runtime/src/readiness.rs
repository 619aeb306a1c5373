//! Readiness of the database, the object storage, the disk, the photo inspection and the live events.

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use rapidphoto_application::{
    live::LiveTail,
    ports::{ObjectStore, PhotoInspector, Ports},
};
use rapidphoto_http::{CachedReadiness, Dependency, DependencyState, Readiness};
use rapidphoto_persistence::SqliteStore;
use rapidphoto_storage_embedded::WriteCheck;

use crate::free_space::FreeSpace;

/// Checks that the database and the object storage answer and can be written, and that the disk has room.
pub(crate) struct Dependencies {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) data_dir: PathBuf,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) inspector: Arc<dyn PhotoInspector>,
    pub(crate) object_directory: WriteCheck,
    pub(crate) free_space: FreeSpace,
    pub(crate) tail: Arc<LiveTail>,
}

/// Time after which a check counts as failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// Free space in bytes below which the process is not ready; the database needs it for its write-ahead log, whose limit
/// is 64 MiB.
const MIN_FREE_BYTES: u64 = 64 * 1024 * 1024;

impl Dependencies {
    /// The checks, made at most once a second.
    pub(crate) fn cached(
        ports: &Ports,
        store: Arc<SqliteStore>,
        data_dir: &Path,
        object_directory: WriteCheck,
        free_space: FreeSpace,
        tail: Arc<LiveTail>,
    ) -> Arc<dyn Readiness> {
        Arc::new(CachedReadiness::new(Arc::new(Self {
            store,
            data_dir: data_dir.to_owned(),
            objects: Arc::clone(&ports.objects),
            inspector: Arc::clone(&ports.inspector),
            object_directory,
            free_space,
            tail,
        })))
    }

    async fn database(&self) -> Result<(), String> {
        self.store.check_write().await.map_err(chain)?;
        let directory = self.data_dir.clone();
        // An open database can still be written after its directory was removed.
        blocking(move || check_directory(&directory)).await
    }

    async fn storage(&self) -> Result<(), String> {
        self.objects.check().await.map_err(chain)?;
        let directory = self.object_directory.clone();
        blocking(move || directory.run()).await
    }

    async fn disk(&self) -> Result<(), String> {
        let free_space = self.free_space.clone();
        let free = blocking(move || free_space.record()).await?;
        if free < MIN_FREE_BYTES {
            return Err(format!(
                "{free} bytes are free; at least {MIN_FREE_BYTES} are needed"
            ));
        }
        Ok(())
    }
}

#[async_trait]
impl Readiness for Dependencies {
    async fn dependencies(&self) -> Vec<Dependency> {
        let inspection = async { self.inspector.check().map_err(chain) };
        let live_events = async { self.tail.check().map_err(|error| error.source.to_string()) };
        let (database, storage, disk, inspection, live_events) = tokio::join!(
            state(self.database()),
            state(self.storage()),
            state(self.disk()),
            state(inspection),
            state(live_events)
        );
        [
            ("record", database, true),
            ("object storage", storage, true),
            ("free space", disk, true),
            // Photos wait until they can be inspected again.
            ("photo inspection", inspection, false),
            // An event of a newer version can't be processed here, and clients must connect to another process.
            ("live events", live_events, true),
        ]
        .map(|(name, state, required)| Dependency {
            name,
            state,
            required,
        })
        .into()
    }
}

/// Writes, syncs and removes a file.
fn check_directory(directory: &Path) -> io::Result<()> {
    let path = directory.join("write-check");
    let mut file = File::create(&path)?;
    file.write_all(b"a test of this directory")?;
    file.sync_all()?;
    std::fs::remove_file(&path)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| error.to_string())?
        .map_err(chain)
}

/// An error with its sources, the outermost first.
pub(crate) fn chain(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

pub(crate) async fn state(check: impl Future<Output = Result<(), String>>) -> DependencyState {
    match tokio::time::timeout(CHECK_TIMEOUT, check).await {
        Ok(Ok(())) => DependencyState::Up,
        Ok(Err(reason)) => DependencyState::Down { reason },
        Err(_) => DependencyState::Down {
            reason: format!("no answer within {} s", CHECK_TIMEOUT.as_secs()),
        },
    }
}
