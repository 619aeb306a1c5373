use diesel::prelude::*;
use rapidphoto_application::{
    log::{EncodedEvent, EventCodec},
    ports::{AggregateState, Change, Cursor, EventMetadata, LogError, NewEvent, StoredEvent, Unavailable},
};
use rapidphoto_domain::{JobId, StreamId, Timestamp, UserId, Version};
use serde_json::Value;

use super::text::{decoded, parsed};
use crate::{
    number::{count, millis, stored, timestamp},
    schema::events,
};

/// An event to be inserted, without a position yet.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub(crate) struct NewEventRow {
    pub(crate) namespace: String,
    pub(crate) event_id: String,
    pub(crate) stream_type: &'static str,
    pub(crate) stream_id: String,
    pub(crate) version: i64,
    pub(crate) owner: String,
    pub(crate) job_id: Option<String>,
    pub(crate) event_type: String,
    pub(crate) schema_version: i32,
    pub(crate) payload: Value,
    pub(crate) metadata: Value,
    occurred_at: i64,
}

impl NewEventRow {
    /// Bound values of one row.
    pub(crate) const BINDS: usize = 12;

    pub(crate) fn new(
        namespace: &str,
        change: &Change,
        version: Version,
        event: &NewEvent,
        metadata: Value,
        at: Timestamp,
        codec: &EventCodec,
    ) -> Result<Self, Unavailable> {
        let encoded = codec.encode(&event.event)?;
        let (owner, job) = owner_and_job(&change.state);
        Ok(Self {
            namespace: namespace.to_owned(),
            event_id: event.id.to_string(),
            stream_type: change.stream.stream_type().name(),
            stream_id: change.stream.to_string(),
            version: stored(version.0),
            owner: owner.to_string(),
            job_id: job.map(|job| job.to_string()),
            event_type: encoded.event_type,
            schema_version: i32::from(encoded.schema_version),
            payload: encoded.payload,
            metadata,
            occurred_at: millis(at),
        })
    }
}

/// Owner and job of a stream's events.
fn owner_and_job(state: &AggregateState) -> (UserId, Option<JobId>) {
    match state {
        AggregateState::Photo(photo) => (photo.owner, Some(photo.job)),
        AggregateState::Job(job) => (job.owner, Some(job.id)),
        AggregateState::User(user) => (user.id, None),
    }
}

/// A stored event.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events)]
pub(crate) struct EventRow {
    pub(crate) position: i64,
    event_id: String,
    stream_id: String,
    version: i64,
    owner: String,
    job_id: Option<String>,
    event_type: String,
    schema_version: i32,
    payload: Value,
    metadata: Value,
    occurred_at: i64,
}

impl EventRow {
    /// Decodes the event, upcast to the current schema. `epoch` is the one of its cursor.
    pub(crate) fn into_event(self, epoch: u64, codec: &EventCodec) -> Result<StoredEvent, LogError> {
        let stream: StreamId = parsed("stream_id", &self.stream_id).map_err(Unavailable::from)?;
        let metadata: EventMetadata = decoded("metadata", self.metadata).map_err(Unavailable::from)?;
        let job = self.job_id.as_deref().map(|job| parsed("job_id", job));
        let event = codec.decode(
            stream.stream_type(),
            EncodedEvent {
                event_type: self.event_type,
                // An invalid version number is treated as one that this program does not support.
                schema_version: u16::try_from(self.schema_version).unwrap_or(u16::MAX),
                payload: self.payload,
            },
        )?;
        Ok(StoredEvent {
            cursor: Cursor::new(epoch, count(self.position)),
            id: parsed("event_id", &self.event_id).map_err(Unavailable::from)?,
            stream,
            version: Version(count(self.version)),
            owner: parsed("owner", &self.owner).map_err(Unavailable::from)?,
            job: job.transpose().map_err(Unavailable::from)?,
            event,
            metadata,
            occurred_at: timestamp(self.occurred_at),
        })
    }
}
