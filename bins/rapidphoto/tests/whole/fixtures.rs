//! Fixtures: servers on a temporary data directory, users, photos and jobs.

use std::{
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use bytes::Bytes;
use rapidphoto_client::{
    Session,
    types::{CreateJobResponse, FileRequest, JobItem, JobSnapshot, PhotoSnapshot, PhotoStatus},
};
use rapidphoto_sample_photos::SamplePhoto;
use rapidphoto_testkit::{Server, ServerOptions, new_user};
use tempfile::TempDir;

/// A temporary data directory on which servers can be started one after the other.
pub(crate) struct DataDir {
    temporary: TempDir,
}

/// A running server and a logged-in user.
pub(crate) struct RunningServer {
    pub(crate) server: Server,
    pub(crate) session: Session,
}

pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_rapidphoto"))
}

impl DataDir {
    pub(crate) fn new() -> Self {
        // Clients that a test makes by itself need it even for plain text.
        rapidphoto_testkit::install_crypto_provider();
        Self {
            temporary: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.temporary.path().join("data")
    }

    /// Options of a server with short intervals, so that tests do not wait long.
    pub(crate) fn options() -> ServerOptions {
        ServerOptions::default()
            .with("RAPIDPHOTO_WORK__LOOK_PAUSE", "200ms")
            .with("RAPIDPHOTO_WORK__POLL", "200ms")
            .with("RAPIDPHOTO_WORK__RETRY_PAUSE", "100ms")
            .with("RAPIDPHOTO_LIMITS__JOBS_PER_MINUTE", "1000")
            .with("RAPIDPHOTO_SERVER__ALLOWED_ORIGINS", "[\"*\"]")
    }

    pub(crate) async fn serve(&self, options: &ServerOptions) -> Server {
        Server::start(binary(), &self.path(), options).await.unwrap()
    }

    pub(crate) async fn start(&self) -> RunningServer {
        self.start_with(&Self::options()).await
    }

    pub(crate) async fn start_with(&self, options: &ServerOptions) -> RunningServer {
        let server = self.serve(options).await;
        let session = new_user(&server.client().unwrap()).await.unwrap();
        RunningServer { server, session }
    }

    /// Runs a command of the binary on the data directory to its end.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        rapidphoto_testkit::command(binary())
            .args(arguments)
            .arg("--data-dir")
            .arg(self.path())
            .output()
            .unwrap()
    }

    /// Asserts that every state row matches its stream's events.
    pub(crate) fn assert_verified(&self) {
        let output = self.command(&["admin", "verify"]);
        assert!(output.status.success(), "{output:?}");
    }
}

/// Small photo, different for each seed.
pub(crate) fn photo(seed: u64) -> Bytes {
    SamplePhoto::new(seed, 320, 240).jpeg().into()
}

pub(crate) fn jpeg(bytes: &Bytes) -> FileRequest {
    FileRequest {
        filename: "photo.jpg".to_owned(),
        mime_type: "image/jpeg".to_owned(),
        bytes: bytes.len() as u64,
        upload_id: None,
        checksum: None,
    }
}

/// Creates a job for these files.
pub(crate) async fn declare(session: &Session, files: &[FileRequest]) -> (String, Vec<JobItem>) {
    let CreateJobResponse { job_id, items } = session.create_job(files, None).await.unwrap();
    (job_id.unwrap(), items)
}

/// Waits until every photo of a job is in a final state.
pub(crate) async fn finished_job(session: &Session, job_id: &str) -> JobSnapshot {
    let until_finished = async {
        loop {
            let job = session.job(job_id).await.unwrap();
            if job.status.is_terminal() {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // A debug build beside hostile clients takes a minute on a busy machine.
    tokio::time::timeout(Duration::from_mins(5), until_finished)
        .await
        .expect("the job did not finish within 5 min")
}

pub(crate) fn statuses(job: &JobSnapshot) -> Vec<PhotoStatus> {
    job.photos.iter().map(|photo| photo.status).collect()
}

pub(crate) fn codes(photo: &PhotoSnapshot) -> Vec<&str> {
    photo.reasons.iter().map(|reason| reason.code.as_str()).collect()
}

/// Number of events of this type in a photo's history.
pub(crate) async fn count_events(session: &Session, photo_id: &str, event_type: &str) -> usize {
    let history = session.history(photo_id).await.unwrap();
    history
        .events
        .iter()
        .filter(|event| event.event_type == event_type)
        .count()
}

pub(crate) fn files_below(dir: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| {
            if entry.path().is_dir() {
                files_below(&entry.path())
            } else {
                1
            }
        })
        .sum()
}
