//! A store in a directory of its own.
#![allow(dead_code, reason = "each test binary uses what it needs")]

use std::{path::Path, sync::Arc, time::Duration};

use diesel::{Connection as _, SqliteConnection};
use rapidphoto_application::{
    log::EventCodec,
    ports::{Clock, Commit},
};
use rapidphoto_contracts::record::given::{self, Writing as _};
use rapidphoto_domain::{JobId, StreamId, Timestamp, Version, job::UploadJob};
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::{OpenError, SqliteConfig, SqliteStore};
use tempfile::TempDir;

pub(crate) struct Rig {
    pub(crate) directory: TempDir,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: Arc<SqliteStore>,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::default());
        let store = open(&directory.path().join("record.db"), "test", clock.clone())
            .await
            .unwrap();
        Self {
            directory,
            clock,
            store: Arc::new(store),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A connection of another program to the same file, set up with nothing.
    pub(crate) fn stranger(&self) -> SqliteConnection {
        let path = self.directory.path().join("record.db");
        SqliteConnection::establish(path.to_str().unwrap()).unwrap()
    }
}

pub(crate) async fn open(
    path: &Path,
    namespace: &str,
    clock: Arc<dyn Clock>,
) -> Result<SqliteStore, OpenError> {
    let config = SqliteConfig {
        path: path.to_owned(),
        namespace: namespace.to_owned(),
        readers: 4,
    };
    SqliteStore::open(config, clock, EventCodec::default()).await
}

/// A commit of one new job; its stream.
pub(crate) fn new_job(at: Timestamp) -> (Commit, JobId) {
    let mut commit = given::commit(at);
    let job = commit.write_job(given::user_id(), 1);
    (commit, job.value.id)
}

/// A commit that begins a job whose stream, it says, has an event already.
pub(crate) fn conflicting(at: Timestamp) -> Commit {
    let mut commit = given::commit(at);
    let job = given::job_id();
    let owner = given::user_id();
    let created = UploadJob::create(job, owner, 1, 1);
    let state = UploadJob::begin(&created).unwrap();
    commit.write(
        StreamId::Job(job),
        Version(1),
        vec![rapidphoto_application::ports::NewEvent {
            id: given::event_id(),
            event: created.into(),
        }],
        rapidphoto_application::ports::AggregateState::Job(state),
    );
    commit
}

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
