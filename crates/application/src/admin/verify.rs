use std::{collections::BTreeSet, fmt, sync::Arc};

use rapidphoto_domain::{
    DomainEvent, StreamId, Version,
    job::{JobEvent, UploadJob},
    photo::{Photo, PhotoEvent},
    user::{User, UserEvent},
};

use crate::ports::{
    AggregateRow, AggregateState, Aggregates, Cursor, DatabasePorts, EventFilter, EventLog, LogError,
    StateRows, StoredEvent, Unavailable,
};

/// Checks that every state row equals the fold of its stream's events.
#[derive(Clone)]
pub struct VerifyRecord {
    log: Arc<dyn EventLog>,
    rows: Arc<dyn StateRows>,
    aggregates: Arc<dyn Aggregates>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VerificationReport {
    /// How many streams were compared.
    pub streams: u64,
    /// Every stream whose row is wrong, missing, or has no events.
    pub mismatches: Vec<Mismatch>,
}

/// A stream and its row that don't agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Which stream.
    pub stream: StreamId,
    /// What is wrong.
    pub fault: String,
}

/// Why the record could not be verified to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The log can't be read.
    #[error("the log can't be read")]
    Log(#[from] LogError),
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

const ROWS: usize = 200;
const EVENTS: usize = 1000;

impl VerificationReport {
    /// Whether everything agrees.
    pub const fn is_clean(&self) -> bool {
        self.mismatches.is_empty()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stream, self.fault)
    }
}

impl VerifyRecord {
    /// A verification of this record.
    pub fn new(database: &DatabasePorts) -> Self {
        Self {
            log: Arc::clone(&database.log),
            rows: Arc::clone(&database.state_rows),
            aggregates: Arc::clone(&database.aggregates),
        }
    }

    /// Goes through all streams. The record may be written to meanwhile.
    pub async fn handle(&self) -> Result<VerificationReport, VerifyError> {
        // Counted first: streams that begin later only add rows.
        let streams = self.rows.stream_count().await?;
        let mut report = VerificationReport::default();
        let mut seen = BTreeSet::new();
        loop {
            let page = self.rows.state_rows(seen.last().copied(), ROWS).await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                seen.insert(row.stream);
                report.streams += 1;
                if let Some(fault) = self.compare(&row).await? {
                    let stream = row.stream;
                    report.mismatches.push(Mismatch { stream, fault });
                }
            }
        }
        if report.streams < streams {
            self.find_streams_without_rows(&seen, &mut report).await?;
        }
        Ok(report)
    }

    /// What is wrong with a row, if anything is.
    async fn compare(&self, row: &AggregateRow) -> Result<Option<String>, VerifyError> {
        let events = self.log.events(row.stream, Version::NEW).await?;
        let counted = events.iter().zip(1..);
        if let Some((event, wanted)) = counted
            .into_iter()
            .find(|(event, wanted)| event.version.0 != *wanted)
        {
            return Ok(Some(format!(
                "the event at version {} stands where version {wanted} belongs",
                event.version
            )));
        }
        let in_log = Version(events.len() as u64);
        if in_log < row.version {
            return Ok(Some(format!(
                "the row is at version {}, the log ends at {in_log}",
                row.version
            )));
        }
        if row.version < in_log && !self.row_has_moved(row.stream, in_log).await? {
            return Ok(Some(format!(
                "the row is at version {}, the log at {in_log}",
                row.version
            )));
        }
        let upto = usize::try_from(row.version.0).unwrap_or(usize::MAX);
        let events: Vec<_> = events.into_iter().take(upto).collect();
        Ok(match fold(row.stream, &events) {
            Ok(folded) if folded == row.state => None,
            Ok(_) => Some(format!("the row is not the fold of its {} events", events.len())),
            Err(fault) => Some(fault),
        })
    }

    /// Whether a row that was behind its stream was only read before the stream went on.
    async fn row_has_moved(&self, stream: StreamId, version: Version) -> Result<bool, Unavailable> {
        let now = match stream {
            StreamId::Photo(id) => self.aggregates.photo(id).await?.map(|row| row.version),
            StreamId::Job(id) => self.aggregates.job(id).await?.map(|row| row.version),
            StreamId::User(id) => self.aggregates.user(id).await?.map(|row| row.version),
        };
        Ok(now.is_some_and(|now| now >= version))
    }

    async fn find_streams_without_rows(
        &self,
        rows: &BTreeSet<StreamId>,
        report: &mut VerificationReport,
    ) -> Result<(), LogError> {
        let mut without = BTreeSet::new();
        let mut cursor = Cursor::START;
        loop {
            let page = self
                .log
                .events_after(cursor, &EventFilter::default(), EVENTS)
                .await?;
            let streams = page.events.iter().map(|event| event.stream);
            without.extend(streams.filter(|stream| !rows.contains(stream)));
            cursor = page.scanned_to;
            if page.at_end {
                break;
            }
        }
        report
            .mismatches
            .extend(without.into_iter().map(|stream| Mismatch {
                stream,
                fault: "the stream has no row".to_owned(),
            }));
        Ok(())
    }
}

/// The state that a stream's events come to.
fn fold(stream: StreamId, events: &[StoredEvent]) -> Result<AggregateState, String> {
    let other = || "the stream holds an event of another kind of stream".to_owned();
    match stream {
        StreamId::Photo(_) => {
            let events = events.iter().map(|stored| match &stored.event {
                DomainEvent::Photo(event) => Ok(event),
                DomainEvent::Job(_) | DomainEvent::User(_) => Err(other()),
            });
            let events: Vec<&PhotoEvent> = events.collect::<Result<_, _>>()?;
            let photo = Photo::fold(events).map_err(|error| error.to_string())?;
            Ok(AggregateState::Photo(Box::new(photo)))
        }
        StreamId::Job(_) => {
            let events = events.iter().map(|stored| match &stored.event {
                DomainEvent::Job(event) => Ok(event),
                DomainEvent::Photo(_) | DomainEvent::User(_) => Err(other()),
            });
            let events: Vec<&JobEvent> = events.collect::<Result<_, _>>()?;
            let job = UploadJob::fold(events).map_err(|error| error.to_string())?;
            Ok(AggregateState::Job(job))
        }
        StreamId::User(_) => {
            let events = events.iter().map(|stored| match &stored.event {
                DomainEvent::User(event) => Ok(event),
                DomainEvent::Photo(_) | DomainEvent::Job(_) => Err(other()),
            });
            let events: Vec<&UserEvent> = events.collect::<Result<_, _>>()?;
            let user = User::fold(events).map_err(|error| error.to_string())?;
            Ok(AggregateState::User(user))
        }
    }
}
