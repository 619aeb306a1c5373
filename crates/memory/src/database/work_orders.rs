use rapidphoto_application::ports::{ClaimToken, WorkOrder};

use super::namespace::{Namespace, WorkRow};

impl Namespace {
    /// Applies one order. Claims were checked against the state before the commit, so that an order whose claim was
    /// invalidated by an earlier order of the same commit has no effect.
    pub(super) fn apply(&mut self, order: &WorkOrder) {
        match *order {
            WorkOrder::Schedule {
                photo,
                owner,
                kind,
                due_at,
                priority,
            } => {
                let row = WorkRow {
                    owner,
                    due_at,
                    priority,
                    attempts: 0,
                    claims: 0,
                    claim: None,
                };
                self.work.insert((photo, kind), row);
            }
            WorkOrder::Drop { photo, kind } => {
                self.work.remove(&(photo, kind));
            }
            WorkOrder::Finish { claim } => {
                if self.is_current(claim) {
                    self.work.remove(&key(claim));
                }
            }
            WorkOrder::Postpone {
                claim,
                due_at,
                attempts,
                claims,
            } => {
                if self.is_current(claim)
                    && let Some(row) = self.work.get_mut(&key(claim))
                {
                    row.due_at = due_at;
                    row.attempts = attempts;
                    row.claims = claims;
                    row.claim = None;
                }
            }
        }
    }
}

const fn key(
    claim: ClaimToken,
) -> (
    rapidphoto_domain::PhotoId,
    rapidphoto_application::ports::WorkKind,
) {
    (claim.photo, claim.kind)
}
