use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult, RunQueryDsl as _,
    SqliteConnection,
};
use rapidphoto_application::ports::Cursor;

use super::insert::insert_all;
use crate::{number::count, rows::NewEventRow, schema::events};

/// Appends events, which receive consecutive positions in this order.
pub(super) fn write(connection: &mut SqliteConnection, rows: &[NewEventRow]) -> QueryResult<()> {
    insert_all!(connection, events::table, rows, NewEventRow::BINDS)
}

/// Cursor of the last event of the namespace's log.
pub(in crate::sqlite) fn head(connection: &mut SqliteConnection, namespace: &str) -> QueryResult<Cursor> {
    let last = events::table
        .filter(events::namespace.eq(namespace))
        .select(events::position)
        .order(events::position.desc())
        .first::<i64>(connection)
        .optional()?;
    Ok(last.map_or(Cursor::START, |position| Cursor::new(0, count(position))))
}
