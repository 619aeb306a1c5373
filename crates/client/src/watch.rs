use std::{collections::VecDeque, time::Duration};

use rapidphoto_api_types::{JobSnapshot, JobStreamEvent, PhotoStreamEvent};
use reqwest::Response;

use crate::{
    ClientError, Session,
    sse::{Decoder, ServerEvent},
};

/// What a watcher sees.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WatchEvent {
    /// Where the job stands: at first, and whenever the stream can't go on without a gap.
    Snapshot(Box<JobSnapshot>),
    /// A photo changed, or came further.
    Photo(PhotoStreamEvent),
    /// The job itself changed.
    Job(JobStreamEvent),
}

/// Watches one job. A connection that is lost is taken up again where it ended.
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

/// How often in a row a connection may fail before the watch gives up.
const MAX_FAILURES: u32 = 8;
/// Before a connection is taken up again; it doubles with each failure.
const PAUSE: Duration = Duration::from_millis(100);

impl JobWatch {
    pub(crate) fn new(session: Session, job_id: String) -> Self {
        Self {
            session,
            job_id,
            connection: None,
            decoder: Decoder::default(),
            ready: VecDeque::new(),
            last: None,
            failures: 0,
        }
    }

    /// The next event; it waits as long as it takes.
    ///
    /// # Errors
    /// When the API refuses the stream, or can't be reached several times in a row.
    pub async fn next(&mut self) -> Result<WatchEvent, ClientError> {
        loop {
            while let Some(event) = self.ready.pop_front() {
                if let Some(event) = self.understand(event)? {
                    return Ok(event);
                }
            }
            match self.read().await {
                Ok(()) => self.failures = 0,
                Err(error) if is_passing(&error) && self.failures < MAX_FAILURES => {
                    self.connection = None;
                    self.failures += 1;
                    tokio::time::sleep(PAUSE * 2_u32.pow(self.failures)).await;
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
        if let Some(piece) = connection.chunk().await? {
            self.ready.extend(self.decoder.push(&piece));
        } else {
            // A server that drains closes in order; the next one is not there in the same moment.
            self.connection = None;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    fn understand(&mut self, event: ServerEvent) -> Result<Option<WatchEvent>, ClientError> {
        let understood = match event.kind.as_str() {
            "snapshot" => {
                let snapshot: JobSnapshot = parse(&event.data)?;
                self.last = Some(snapshot.cursor.clone());
                Some(WatchEvent::Snapshot(Box::new(snapshot)))
            }
            "photo" => Some(WatchEvent::Photo(parse(&event.data)?)),
            "job" => Some(WatchEvent::Job(parse(&event.data)?)),
            // A reset is followed by a snapshot, which says it all.
            _ => None,
        };
        if event.id.is_some() {
            self.last = event.id;
        }
        Ok(understood)
    }
}

fn parse<T: serde::de::DeserializeOwned>(data: &str) -> Result<T, ClientError> {
    serde_json::from_str(data).map_err(ClientError::Unintelligible)
}

/// Whether it is worth trying again.
fn is_passing(error: &ClientError) -> bool {
    match error {
        ClientError::Transport(_) => true,
        ClientError::Refused(problem) => problem.status == 503,
        _ => false,
    }
}
