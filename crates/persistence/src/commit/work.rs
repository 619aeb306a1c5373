use std::collections::BTreeMap;

use rapidphoto_application::ports::{ClaimToken, Due, WorkKind, WorkOrder};
use rapidphoto_domain::PhotoId;

use crate::rows::{WorkRow, priority_number};

/// Work changes of a commit, at most one for each photo and kind, however many orders there are.
#[derive(Default)]
pub(crate) struct WorkChanges {
    /// Claims that must be valid.
    pub(crate) claims: Vec<ClaimToken>,
    pub(crate) scheduled: Vec<Scheduled>,
    pub(crate) removed: BTreeMap<WorkKind, Vec<String>>,
    pub(crate) postponed: Vec<Postponed>,
}

pub(crate) struct Postponed {
    pub(crate) photo: String,
    pub(crate) kind: WorkKind,
    pub(crate) due: Due,
    pub(crate) attempts: i64,
    pub(crate) claims: i64,
    pub(crate) keeps_due_time: bool,
}

/// New work without a claim. Its times are set when it is written, by the database's clock.
pub(crate) struct Scheduled {
    pub(crate) row: WorkRow,
    pub(crate) due: Due,
}

enum Change {
    Schedule(Scheduled),
    Remove,
    Postpone(Postponed),
}

impl WorkChanges {
    /// Folds the orders for the same photo and kind in their sequence. Orders for different work are independent.
    /// Finishing and postponing have no effect on work that an earlier order has already changed.
    pub(crate) fn new(namespace: &str, orders: Vec<WorkOrder>) -> Self {
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
                    keeps_due_time,
                } => {
                    changes.claims.push(claim);
                    let postponed = Postponed {
                        photo: claim.photo.to_string(),
                        kind: claim.kind,
                        due,
                        attempts: attempts.into(),
                        claims: claims.into(),
                        keeps_due_time,
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
