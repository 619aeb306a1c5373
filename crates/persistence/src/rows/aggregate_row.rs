use rapidphoto_application::ports::{AggregateRow, AggregateState, TagMismatch};
use rapidphoto_domain::{StreamType, Version};
use serde_json::Value;

use super::text::{decoded, parsed};
use crate::{error::StoreError, number::count};

/// State row of a stream, from its id, version and state.
pub(crate) fn aggregate_row(
    kind: StreamType,
    (id, version, state): (String, i64, Value),
) -> Result<AggregateRow, StoreError> {
    Ok(AggregateRow {
        stream: parsed("stream_id", &id)?,
        version: Version(count(version)),
        state: match kind {
            StreamType::User => decoded("user", state).map(AggregateState::User),
            StreamType::Job => decoded("job", state).map(AggregateState::Job),
            StreamType::Photo => decoded("photo", state).map(AggregateState::Photo),
        }?,
    })
}

/// Difference between a photo's tags and the index of photos by tag.
pub(crate) fn tag_mismatch(photo: &str, label: String, missing: bool) -> Result<TagMismatch, StoreError> {
    Ok(TagMismatch {
        photo: parsed("photo_id", photo)?,
        label,
        missing,
    })
}
