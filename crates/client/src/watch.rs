use std::{collections::VecDeque, time::Duration};

use rapidphoto_api_types::{JobSnapshot, JobStreamEvent, PhotoStreamEvent, StreamEnd, UserStreamStart};
use reqwest::{Method, Response};

use crate::{
    error::ClientError,
    request::parse_json,
    retry::Attempts,
    session::Session,
    sse::{Decoder, ServerEvent},
};

/// Event of a watched job or user.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WatchEvent {
    /// State of the job: at the start, and whenever the stream can't continue without a gap.
    Snapshot(Box<JobSnapshot>),
    /// Start of the user's stream, which has no snapshot: at the start, and whenever events may have been missed.
    Start(UserStreamStart),
    /// A photo changed, or its upload made progress.
    Photo(PhotoStreamEvent),
    /// The job was created, completed, reopened or cancelled.
    Job(JobStreamEvent),
    /// The stream has ended: the job is terminal, or the session has ended. Another call watches the job anew.
    End(StreamEnd),
}

/// Watches a job, or all jobs of the user. After a lost connection the stream is resumed where it ended.
#[derive(Debug)]
pub struct Watch {
    session: Session,
    job_id: Option<String>,
    connection: Option<Response>,
    decoder: Decoder,
    ready: VecDeque<ServerEvent>,
    last: Option<String>,
    attempts: Attempts,
}

/// Delay before the reconnection to a server that closed the stream in order.
const RECONNECT_DELAY: Duration = Duration::from_millis(100);

impl Session {
    /// Watches a job, starting with its present state.
    pub fn watch_job(&self, job_id: &str) -> Watch {
        Watch::new(self.clone(), Some(job_id.to_owned()))
    }

    /// Watches all jobs of the user from now on.
    pub fn watch(&self) -> Watch {
        Watch::new(self.clone(), None)
    }

    /// Opens an event stream, after the event `last` if there is one.
    async fn open_stream(&self, job_id: Option<&str>, last: Option<&str>) -> Result<Response, ClientError> {
        let path = match job_id {
            Some(job_id) => vec!["queries", "upload-jobs", job_id, "events"],
            None => vec!["queries", "events"],
        };
        self.send(|| {
            let request = self
                .client
                .request(Method::GET, &path)
                .header("Accept", "text/event-stream");
            match last {
                Some(id) => request.header("Last-Event-ID", id),
                None => request,
            }
        })
        .await
    }
}

impl Watch {
    fn new(session: Session, job_id: Option<String>) -> Self {
        Self {
            session,
            job_id,
            connection: None,
            decoder: Decoder::default(),
            ready: VecDeque::new(),
            last: None,
            attempts: Attempts::default(),
        }
    }

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
                Ok(()) => self.attempts = Attempts::default(),
                Err(error) => {
                    self.connection = None;
                    self.attempts.pause_after(error).await?;
                }
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
                .open_stream(self.job_id.as_deref(), self.last.as_deref())
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
            "snapshot" if self.job_id.is_none() => {
                let start: UserStreamStart = parse_json(event.data.as_bytes())?;
                self.last = Some(start.cursor.clone());
                Some(WatchEvent::Start(start))
            }
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
