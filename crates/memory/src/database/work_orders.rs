use rapidphoto_application::ports::{ClaimToken, WorkOrder};
use rapidphoto_domain::Timestamp;

use super::{
    namespace::Namespace,
    work_table::{Key, WorkRow},
};

impl Namespace {
    /// Applies one order. Claims were checked against the state before the commit, so that an order whose claim was
    /// invalidated by an earlier order of the same commit has no effect.
    pub(super) fn apply(&mut self, order: &WorkOrder, now: Timestamp) {
        match *order {
            WorkOrder::Schedule {
                photo,
                owner,
                kind,
                due,
                priority,
            } => self
                .work
                .insert((photo, kind), WorkRow::new(owner, priority, due, now)),
            WorkOrder::Drop { photo, kind } => self.work.remove(&(photo, kind)),
            WorkOrder::Finish { claim } => {
                if self.work.is_current(claim) {
                    self.work.remove(&key(claim));
                }
            }
            WorkOrder::Postpone {
                claim,
                due,
                attempts,
                claims,
                keeps_due_time,
            } => {
                if self.work.is_current(claim) {
                    self.work.update(key(claim), |row| {
                        let first_due_at = row.due_at;
                        row.park(due, now);
                        if keeps_due_time {
                            row.due_at = first_due_at;
                        }
                        row.attempts = attempts;
                        row.claims = claims;
                        row.token = None;
                    });
                }
            }
        }
    }
}

const fn key(claim: ClaimToken) -> Key {
    (claim.photo, claim.kind)
}
