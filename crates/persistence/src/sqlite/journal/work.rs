use std::collections::BTreeMap;

use diesel::{ExpressionMethods as _, QueryDsl as _, QueryResult, RunQueryDsl as _, SqliteConnection};
use rapidphoto_application::ports::{ClaimToken, WorkKind, WorkOrder};
use rapidphoto_domain::PhotoId;

use super::insert::insert_all;
use crate::{
    number::millis,
    rows::{WorkRow, priority_number},
    schema::photo_work,
    sqlite::MAX_BINDS,
};

/// Work changes of a commit, at most one for each photo and kind, however many orders there are.
#[derive(Default)]
pub(super) struct WorkChanges {
    /// Claims that must be valid.
    pub(super) claims: Vec<ClaimToken>,
    scheduled: Vec<WorkRow>,
    removed: BTreeMap<WorkKind, Vec<String>>,
    postponed: Vec<Postponed>,
}

struct Postponed {
    photo: String,
    kind: WorkKind,
    due_at: i64,
    attempts: i64,
    claims: i64,
}

enum Change {
    Schedule(WorkRow),
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
                    due_at,
                    priority,
                } => {
                    let row = WorkRow {
                        namespace: namespace.to_owned(),
                        photo_id: photo.to_string(),
                        kind: kind.as_str(),
                        owner: owner.to_string(),
                        priority: priority_number(priority),
                        due_at: millis(due_at),
                        attempts: 0,
                        claims: 0,
                    };
                    folded.insert((photo, kind), Change::Schedule(row));
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
                    due_at,
                    attempts,
                    claims,
                } => {
                    changes.claims.push(claim);
                    let postponed = Postponed {
                        photo: claim.photo.to_string(),
                        kind: claim.kind,
                        due_at: millis(due_at),
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
                Change::Schedule(row) => self.scheduled.push(row),
                Change::Remove => self.removed.entry(kind).or_default().push(photo.to_string()),
                Change::Postpone(postponed) => self.postponed.push(postponed),
            }
        }
    }
}

/// Writes the changes after their claims have been checked.
pub(super) fn write(
    connection: &mut SqliteConnection,
    namespace: &str,
    work: &WorkChanges,
) -> QueryResult<()> {
    // Work that is scheduled again replaces the old row, including its claim and counts.
    insert_all!(
        connection,
        diesel::replace_into(photo_work::table),
        &work.scheduled,
        WorkRow::BINDS,
        with
    )?;
    for (kind, photos) in &work.removed {
        remove(connection, namespace, *kind, photos)?;
    }
    for postponed in &work.postponed {
        postpone(connection, namespace, postponed)?;
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

fn postpone(connection: &mut SqliteConnection, namespace: &str, to: &Postponed) -> QueryResult<()> {
    let work = photo_work::table
        .filter(photo_work::namespace.eq(namespace))
        .filter(photo_work::photo_id.eq(&to.photo))
        .filter(photo_work::kind.eq(to.kind.as_str()));
    diesel::update(work)
        .set((
            photo_work::due_at.eq(to.due_at),
            photo_work::attempts.eq(to.attempts),
            photo_work::claims.eq(to.claims),
            photo_work::token.eq(None::<i64>),
            photo_work::lease_until.eq(None::<i64>),
        ))
        .execute(connection)
        .map(drop)
}
