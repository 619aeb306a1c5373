use diesel::{ExpressionMethods as _, QueryDsl as _, QueryResult, RunQueryDsl as _, SqliteConnection};
use rapidphoto_application::ports::{Due, WorkKind};
use rapidphoto_domain::Timestamp;

use super::insert::insert_all;
use crate::{
    commit::{Postponed, Scheduled, WorkChanges},
    number::{millis, millis_after},
    rows::WorkRow,
    schema::photo_work,
    sqlite::MAX_BINDS,
};

/// Writes the changes after their claims have been checked. `now` is the time of the database's clock.
pub(super) fn write(
    connection: &mut SqliteConnection,
    namespace: &str,
    work: &WorkChanges,
    now: Timestamp,
) -> QueryResult<()> {
    let scheduled: Vec<WorkRow> = work.scheduled.iter().map(|new| row_at(new, now)).collect();
    // Work that is scheduled again replaces the old row, including its claim and counts.
    insert_all!(
        connection,
        diesel::replace_into(photo_work::table),
        &scheduled,
        WorkRow::BINDS,
        with
    )?;
    for (kind, photos) in &work.removed {
        remove(connection, namespace, *kind, photos)?;
    }
    for postponed in &work.postponed {
        postpone(connection, namespace, postponed, now)?;
    }
    Ok(())
}

fn remove(
    connection: &mut SqliteConnection,
    namespace: &str,
    kind: WorkKind,
    photos: &[String],
) -> QueryResult<()> {
    let of_kind = photo_work::table
        .filter(photo_work::namespace.eq(namespace))
        .filter(photo_work::kind.eq(kind.as_str()));
    if let [photo] = photos {
        return diesel::delete(of_kind.filter(photo_work::photo_id.eq(photo)))
            .execute(connection)
            .map(drop);
    }
    for chunk in photos.chunks(MAX_BINDS - 2) {
        diesel::delete(of_kind.filter(photo_work::photo_id.eq_any(chunk))).execute(connection)?;
    }
    Ok(())
}

fn row_at(new: &Scheduled, now: Timestamp) -> WorkRow {
    let (due_at, parked_until) = due_times(new.due, now);
    WorkRow {
        due_at,
        parked_until,
        ..new.row.clone()
    }
}

/// Values of `due_at` and `parked_until`. A delay below a millisecond is none.
fn due_times(due: Due, now: Timestamp) -> (i64, Option<i64>) {
    let due_at = millis_after(now, due.delay());
    (due_at, (due_at > millis(now)).then_some(due_at))
}

fn postpone(
    connection: &mut SqliteConnection,
    namespace: &str,
    to: &Postponed,
    now: Timestamp,
) -> QueryResult<()> {
    let (due_at, parked_until) = due_times(to.due, now);
    let work = photo_work::table
        .filter(photo_work::namespace.eq(namespace))
        .filter(photo_work::photo_id.eq(&to.photo))
        .filter(photo_work::kind.eq(to.kind.as_str()));
    diesel::update(work)
        .set((
            (!to.keeps_due_time).then_some(photo_work::due_at.eq(due_at)),
            photo_work::attempts.eq(to.attempts),
            photo_work::claims.eq(to.claims),
            photo_work::token.eq(None::<i64>),
            photo_work::parked_until.eq(parked_until),
        ))
        .execute(connection)
        .map(drop)
}
