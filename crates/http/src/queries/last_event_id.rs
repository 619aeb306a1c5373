use actix_web::http::header::HeaderName;
use rapidphoto_application::live::Start;
use rapidphoto_domain::UserId;

use crate::{
    call::{Call, Query},
    problem::Problem,
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Start of a stream: after the last event that the client has received, from the header or the query. The header wins: an
/// `EventSource` sets it when it reconnects, while its URL stays the same.
pub(super) fn start(call: &Call, owner: UserId, query: &mut Query) -> Result<Start, Problem> {
    let in_query = query.take("lastEventId")?;
    let last = call.header(&LAST_EVENT_ID).or(in_query.as_deref());
    Ok(last.map_or(Start::Snapshot, |last| call.shared.cursors.open(owner, last)))
}
