use diesel::{QueryDsl as _, QueryResult, RunQueryDsl as _, SqliteConnection};

use super::insert::insert_all;
use crate::{commit::TagChanges, rows::TagRow, schema::photo_tags};

/// Writes the changes; without any, it executes no statement.
pub(super) fn write(connection: &mut SqliteConnection, changes: &TagChanges) -> QueryResult<()> {
    for row in &changes.removed {
        let key = (&row.namespace, &row.owner, &row.label, &row.photo_id);
        diesel::delete(photo_tags::table.find(key)).execute(connection)?;
    }
    // An entry exists already if the same commit removes a label and adds it again.
    let insert = diesel::insert_or_ignore_into(photo_tags::table);
    insert_all!(connection, insert, &changes.added, TagRow::BINDS, with)
}
