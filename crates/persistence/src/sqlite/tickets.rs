//! Statements on stream tickets.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult, RunQueryDsl as _,
    SelectableHelper as _, SqliteConnection,
};
use rapidphoto_application::ports::TokenHash;
use rapidphoto_domain::JobId;

use crate::{
    rows::TicketRow,
    schema::{sessions, stream_tickets},
};

/// Adds a ticket. Removes those of the user that expire first, so that at most `max` are left.
pub(super) fn add(
    connection: &mut SqliteConnection,
    namespace: &str,
    row: &TicketRow,
    max: usize,
) -> QueryResult<()> {
    let kept = max.saturating_sub(1);
    let beyond: Vec<Vec<u8>> = stream_tickets::table
        .filter(stream_tickets::namespace.eq(namespace))
        .filter(stream_tickets::user_id.eq(&row.user_id))
        .order(stream_tickets::expires_at.desc())
        .offset(i64::try_from(kept).unwrap_or(i64::MAX))
        .select(stream_tickets::ticket)
        .load(connection)?;
    for ticket in beyond {
        let ticket = stream_tickets::table
            .filter(stream_tickets::namespace.eq(namespace))
            .filter(stream_tickets::ticket.eq(ticket));
        diesel::delete(ticket).execute(connection)?;
    }
    diesel::insert_into(stream_tickets::table)
        .values(row)
        .execute(connection)
        .map(drop)
}

/// Marks a ticket as used.
pub(super) fn mark_used(
    connection: &mut SqliteConnection,
    namespace: &str,
    ticket: TokenHash,
) -> QueryResult<()> {
    let by_hash = stream_tickets::table
        .filter(stream_tickets::namespace.eq(namespace))
        .filter(stream_tickets::ticket.eq(&ticket.0[..]));
    diesel::update(by_hash)
        .set(stream_tickets::used.eq(true))
        .execute(connection)
        .map(drop)
}

/// Returns a ticket that is valid at `now`.
pub(super) fn find_valid(
    connection: &mut SqliteConnection,
    namespace: &str,
    ticket: TokenHash,
    job: Option<JobId>,
    now: i64,
) -> QueryResult<Option<TicketRow>> {
    let row: Option<TicketRow> = stream_tickets::table
        .filter(stream_tickets::namespace.eq(namespace))
        .filter(stream_tickets::ticket.eq(&ticket.0[..]))
        .select(TicketRow::as_select())
        .first(connection)
        .optional()?;
    let job = job.map(|job| job.to_string());
    let row = row.filter(|row| row.job_id == job);
    let row = row.filter(|row| row.expires_at > now && (row.used || row.first_use_by > now));
    let Some(row) = row else { return Ok(None) };
    let session_expires_at: Option<i64> = sessions::table
        .filter(sessions::namespace.eq(namespace))
        .filter(sessions::session_id.eq(&row.session_id))
        .select(sessions::expires_at)
        .first(connection)
        .optional()?;
    Ok(session_expires_at
        .is_some_and(|expires_at| expires_at > now)
        .then_some(row))
}
