use actix_web::http::header::HeaderName;

use crate::{
    call::{Call, Query},
    problem::Problem,
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Id of the last event that the client has received, from the header or the query. The header wins: an `EventSource`
/// sets it when it reconnects, while its URL stays the same. No other parameter may be left in `query`.
pub(super) fn last_event_id(call: &Call, mut query: Query) -> Result<Option<String>, Problem> {
    let in_query = query.take("lastEventId")?;
    query.finish()?;
    Ok(call.header(&LAST_EVENT_ID).map(str::to_owned).or(in_query))
}
