use std::{collections::BTreeSet, fmt, sync::Arc};

use rapidphoto_domain::{
    DomainEvent, StreamId, Version,
    job::{JobEvent, UploadJob},
    photo::{Photo, PhotoEvent},
    user::{User, UserEvent},
};

use crate::ports::{
    AggregateRow, AggregateState, Aggregates, Cursor, DatabasePorts, EventFilter, EventLog, LogError,
    StateRows, StoredEvent, Unavailable, Usage,
};

/// Check that every state row equals the fold of its stream's events, and that the index of tags and the usage of quotas
/// match the state rows.
#[derive(Clone)]
pub struct VerifyStateRows {
    log: Arc<dyn EventLog>,
    rows: Arc<dyn StateRows>,
    aggregates: Arc<dyn Aggregates>,
}

/// Result of a verification.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VerificationReport {
    /// Number of compared streams.
    pub streams: u64,
    /// Streams whose row is wrong or missing, and rows without events.
    pub mismatches: Vec<Mismatch>,
}

/// Stream whose state row does not match its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Stream of the row.
    pub stream: StreamId,
    /// Description of the difference.
    pub fault: String,
}

/// Reasons why a verification was not completed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The log can't be read.
    #[error("the log can't be read")]
    Log(#[from] LogError),
    /// The database is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Rows per read.
const ROW_PAGE_SIZE: usize = 200;
/// Events per read.
const EVENT_PAGE_SIZE: usize = 1000;

impl VerificationReport {
    /// Returns true if there are no mismatches.
    pub const fn is_clean(&self) -> bool {
        self.mismatches.is_empty()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stream, self.fault)
    }
}

impl VerifyStateRows {
    /// Creates a verification of the database behind these ports.
    pub fn new(database: &DatabasePorts) -> Self {
        Self {
            log: Arc::clone(&database.log),
            rows: Arc::clone(&database.state_rows),
            aggregates: Arc::clone(&database.aggregates),
        }
    }

    /// Compares all streams. The database may be written to meanwhile.
    pub async fn handle(&self) -> Result<VerificationReport, VerifyError> {
        // Counted first: streams that are created later only add rows, and can't hide a missing one.
        let streams = self.rows.stream_count().await?;
        let mut report = VerificationReport::default();
        let mut seen = BTreeSet::new();
        loop {
            let page = self.rows.state_rows(seen.last().copied(), ROW_PAGE_SIZE).await?;
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
        let tags = self.rows.tag_mismatches().await?;
        report.mismatches.extend(tags.into_iter().map(|tag| Mismatch {
            stream: StreamId::Photo(tag.photo),
            fault: if tag.missing {
                format!("the index of tags lacks the photo's tag `{}`", tag.label)
            } else {
                format!(
                    "the index of tags has `{}`, which is no tag of the photo",
                    tag.label
                )
            },
        }));
        let usage = self.rows.usage_mismatches().await?;
        report.mismatches.extend(usage.into_iter().map(|usage| Mismatch {
            stream: StreamId::User(usage.owner),
            fault: format!(
                "the usage of quotas has {}, but the photos amount to {}",
                described(usage.stored),
                described(usage.counted)
            ),
        }));
        Ok(report)
    }

    /// Compares a row with its stream; `None` if they match.
    async fn compare(&self, row: &AggregateRow) -> Result<Option<String>, VerifyError> {
        let events = self.log.events(row.stream, Version::NEW).await?;
        let counted = events.iter().zip(1..);
        if let Some((event, expected)) = counted
            .into_iter()
            .find(|(event, expected)| event.version.0 != *expected)
        {
            return Ok(Some(format!(
                "an event has version {}, expected {expected}",
                event.version
            )));
        }
        let in_log = Version(events.len() as u64);
        if in_log < row.version {
            return Ok(Some(format!(
                "the row has version {}, but the stream ends at {in_log}",
                row.version
            )));
        }
        if row.version < in_log && !self.row_caught_up(row.stream, in_log).await? {
            return Ok(Some(format!(
                "the row has version {}, but the stream has {in_log}",
                row.version
            )));
        }
        let upto = usize::try_from(row.version.0).unwrap_or(usize::MAX);
        let events: Vec<_> = events.into_iter().take(upto).collect();
        let folded = fold(row.stream, &events).map(|folded| with_counted_retries(folded, &row.state));
        Ok(match folded {
            Ok(folded) if folded == row.state => None,
            Ok(_) => Some(format!("the row is not the fold of its {} events", events.len())),
            Err(fault) => Some(fault),
        })
    }

    /// Returns true if a row that was older than its stream has that version now: the stream grew after the row was
    /// read.
    async fn row_caught_up(&self, stream: StreamId, version: Version) -> Result<bool, Unavailable> {
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
                .events_after(cursor, &EventFilter::default(), EVENT_PAGE_SIZE)
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

fn described(usage: Usage) -> String {
    let Usage {
        open_photos,
        stored_bytes,
        photos_of_day,
    } = usage;
    format!(
        "{open_photos} open photos, {stored_bytes} stored bytes and {photos_of_day} photos on the last day"
    )
}

/// Adds the retries of an outcome that was stored before events carried them: a migration counted them in the log.
fn with_counted_retries(mut folded: AggregateState, row: &AggregateState) -> AggregateState {
    if let AggregateState::Job(UploadJob {
        outcome: Some(folded),
        ..
    }) = &mut folded
        && let AggregateState::Job(UploadJob {
            outcome: Some(row), ..
        }) = row
    {
        folded.retries = folded.retries.or(row.retries);
    }
    folded
}

/// Folds a stream's events into its state.
fn fold(stream: StreamId, events: &[StoredEvent]) -> Result<AggregateState, String> {
    let other = || "the stream contains an event of another type of stream".to_owned();
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
