use std::collections::BTreeMap;

use diesel::{ExpressionMethods as _, QueryDsl as _, QueryResult, RunQueryDsl as _, SqliteConnection};
use rapidphoto_application::ports::{ClaimToken, Due, WorkKind, WorkOrder};
use rapidphoto_domain::{PhotoId, Timestamp};

use super::insert::insert_all;
use crate::{
    number::{millis, millis_after},
    rows::{WorkRow, priority_number},
    schema::photo_work,
    sqlite::MAX_BINDS,
};

/// Work changes of a commit, at most one for each photo and kind, however many orders there are.
#[derive(Default)]
pub(super) struct WorkChanges {
    /// Claims that must be valid.
    pub(super) claims: Vec<ClaimToken>,
    scheduled: Vec<Scheduled>,
    removed: BTreeMap<WorkKind, Vec<String>>,
    postponed: Vec<Postponed>,
}

struct Postponed {
    photo: String,
    kind: WorkKind,
    due: Due,
    attempts: i64,
    claims: i64,
}

/// New work without a claim. Its times are set when it is written, by the database's clock.
struct Scheduled {
    row: WorkRow,
    due: Due,
}

enum Change {
    Schedule(Scheduled),
    Remove,
    Postpone(Postponed),
}

impl WorkChanges {
    /// Folds the orders for the same photo and kind in their sequence. Orders for different work are independent.
    /// Finishing and postponing have no effect on work that an earlier order has already changed.
    pub(super) fn new(namespace: &str, orders: Vec<WorkOrder>) -> Self {
        let mut changes = Self::default();
        let mut folded: BTreeMap<(PhotoId, WorkKind), Change> = BTreeMap::new();
        for order in orders {
            match order {
                WorkOrder::Schedule {
                    photo,
                    owner,
                    kind,
                    due,
                    priority,
                } => {
                    let row = WorkRow {
                        namespace: namespace.to_owned(),
                        photo_id: photo.to_string(),
                        kind: kind.as_str(),
                        owner: owner.to_string(),
                        priority: priority_number(priority),
                        due_at: 0,
                        attempts: 0,
                        claims: 0,
                        parked_until: None,
                    };
                    folded.insert((photo, kind), Change::Schedule(Scheduled { row, due }));
                }
                WorkOrder::Drop { photo, kind } => {
                    folded.insert((photo, kind), Change::Remove);
                }
                WorkOrder::Finish { claim } => {
                    changes.claims.push(claim);
                    folded.entry((claim.photo, claim.kind)).or_insert(Change::Remove);
                }
                WorkOrder::Postpone {
                    claim,
                    due,
                    attempts,
                    claims,
                } => {
                    changes.claims.push(claim);
                    let postponed = Postponed {
                        photo: claim.photo.to_string(),
                        kind: claim.kind,
                        due,
                        attempts: attempts.into(),
                        claims: claims.into(),
                    };
                    folded
                        .entry((claim.photo, claim.kind))
                        .or_insert(Change::Postpone(postponed));
                }
            }
        }
        changes.group(folded);
        changes
    }

    fn group(&mut self, folded: BTreeMap<(PhotoId, WorkKind), Change>) {
        for ((photo, kind), change) in folded {
            match change {
                Change::Schedule(scheduled) => self.scheduled.push(scheduled),
                Change::Remove => self.removed.entry(kind).or_default().push(photo.to_string()),
                Change::Postpone(postponed) => self.postponed.push(postponed),
            }
        }
    }
}

/// Writes the changes after their claims have been checked. `now` is the time of the database's clock.
pub(super) fn write(
    connection: &mut SqliteConnection,
    namespace: &str,
    work: &WorkChanges,
    now: Timestamp,
) -> QueryResult<()> {
    let scheduled: Vec<WorkRow> = work.scheduled.iter().map(|new| new.row_at(now)).collect();
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

impl Scheduled {
    fn row_at(&self, now: Timestamp) -> WorkRow {
        let (due_at, parked_until) = due_times(self.due, now);
        WorkRow {
            due_at,
            parked_until,
            ..self.row.clone()
        }
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
            photo_work::due_at.eq(due_at),
            photo_work::attempts.eq(to.attempts),
            photo_work::claims.eq(to.claims),
            photo_work::token.eq(None::<i64>),
            photo_work::parked_until.eq(parked_until),
        ))
        .execute(connection)
        .map(drop)
}
