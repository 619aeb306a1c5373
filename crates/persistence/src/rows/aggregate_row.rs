use rapidphoto_application::ports::{AggregateRow, AggregateState, TagMismatch, Usage, UsageMismatch};
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

/// A difference of stored usage; each array has the number of open photos, of stored bytes and of photos of the last day.
pub(crate) fn usage_mismatch(
    owner: &str,
    stored: [i64; 3],
    counted: [i64; 3],
) -> Result<UsageMismatch, StoreError> {
    let usage = |[open_photos, stored_bytes, photos_of_day]: [i64; 3]| Usage {
        open_photos: count(open_photos),
        stored_bytes: count(stored_bytes),
        photos_of_day: count(photos_of_day),
    };
    Ok(UsageMismatch {
        owner: parsed("owner", owner)?,
        stored: usage(stored),
        counted: usage(counted),
    })
}
