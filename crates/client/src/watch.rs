use std::{collections::VecDeque, time::Duration};

use rapidphoto_api_types::{JobSnapshot, JobStreamEvent, PhotoStreamEvent, StreamEnd};
use reqwest::Response;

use crate::{
    error::ClientError,
    request::parse_json,
    session::Session,
    sse::{Decoder, ServerEvent},
};

/// Event of a watched job.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WatchEvent {
    /// State of the job: at the start, and whenever the stream can't continue without a gap.
    Snapshot(Box<JobSnapshot>),
    /// A photo changed, or its upload made progress.
    Photo(PhotoStreamEvent),
    /// The job was created, completed, reopened or cancelled.
    Job(JobStreamEvent),
    /// The stream has ended: the job is terminal, or the session has ended. Another call watches the job anew.
    End(StreamEnd),
}

/// Watches a job. After a lost connection the stream is resumed where it ended.
#[derive(Debug)]
pub struct JobWatch {
    session: Session,
    job_id: String,
    connection: Option<Response>,
    decoder: Decoder,
    ready: VecDeque<ServerEvent>,
    last: Option<String>,
    failures: u32,
}

/// Maximum number of consecutive failures of the connection.
const MAX_FAILURES: u32 = 8;
/// Delay before a reconnection; it doubles with every consecutive failure.
const RECONNECT_DELAY: Duration = Duration::from_millis(100);

impl Session {
    /// Watches a job, starting with its present state.
    pub fn watch_job(&self, job_id: &str) -> JobWatch {
        JobWatch {
            session: self.clone(),
            job_id: job_id.to_owned(),
            connection: None,
            decoder: Decoder::default(),
            ready: VecDeque::new(),
            last: None,
            failures: 0,
        }
    }
}

impl JobWatch {
    /// Waits for the next event, without a time-out.
    ///
    /// # Errors
    /// The API rejects the request, an event is malformed, or too many consecutive connections fail.
    pub async fn next(&mut self) -> Result<WatchEvent, ClientError> {
        loop {
            while let Some(event) = self.ready.pop_front() {
                if let Some(event) = self.decode(event)? {
                    return Ok(event);
                }
            }
            match self.read().await {
                Ok(()) => self.failures = 0,
                Err(error) if is_transient(&error) && self.failures < MAX_FAILURES => {
                    self.connection = None;
                    self.failures += 1;
                    tokio::time::sleep(RECONNECT_DELAY * 2_u32.pow(self.failures)).await;
                }
                Err(other) => return Err(other),
            }
        }
    }

    async fn read(&mut self) -> Result<(), ClientError> {
        let connection = if let Some(open) = self.connection.as_mut() {
            open
        } else {
            self.decoder = Decoder::default();
            let opened = self
                .session
                .open_stream(&self.job_id, self.last.as_deref())
                .await?;
            self.connection.insert(opened)
        };
        if let Some(chunk) = connection.chunk().await? {
            self.ready.extend(self.decoder.push(&chunk));
        } else {
            // A server that shuts down closes the stream in order; its successor may need a moment to start.
            self.connection = None;
            tokio::time::sleep(RECONNECT_DELAY).await;
        }
        Ok(())
    }

    fn decode(&mut self, event: ServerEvent) -> Result<Option<WatchEvent>, ClientError> {
        let decoded = match event.kind.as_str() {
            "snapshot" => {
                let snapshot: JobSnapshot = parse_json(event.data.as_bytes())?;
                self.last = Some(snapshot.cursor.clone());
                Some(WatchEvent::Snapshot(Box::new(snapshot)))
            }
            "photo" => Some(WatchEvent::Photo(parse_json(event.data.as_bytes())?)),
            "job" => Some(WatchEvent::Job(parse_json(event.data.as_bytes())?)),
            "end" => {
                self.connection = None;
                Some(WatchEvent::End(parse_json(event.data.as_bytes())?))
            }
            // Unknown events are ignored, and so is a reset, because a snapshot follows it.
            _ => None,
        };
        if event.id.is_some() {
            self.last = event.id;
        }
        Ok(decoded)
    }
}

/// Returns true if a reconnection may succeed.
fn is_transient(error: &ClientError) -> bool {
    match error {
        ClientError::Transport(_) => true,
        ClientError::Problem(problem) => problem.status == 503,
        _ => false,
    }
}
