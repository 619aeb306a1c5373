//! Work items and the two indexes by which they are claimed.

use std::collections::{BTreeMap, BTreeSet};

use rapidphoto_application::ports::{ClaimToken, Due, Priority, WorkKind};
use rapidphoto_domain::{PhotoId, Timestamp, UserId};

/// Items that one claim makes claimable; the same bound as in the other adapters.
const UNPARK_BATCH: usize = 500;

pub(super) type Key = (PhotoId, WorkKind);

/// Claimable work of one kind and priority, whose owners are served in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ring {
    pub(super) kind: WorkKind,
    pub(super) orphaned: bool,
    pub(super) priority: Priority,
}

#[derive(Clone, Copy)]
pub(super) struct WorkRow {
    pub(super) owner: UserId,
    pub(super) due_at: Timestamp,
    pub(super) priority: Priority,
    pub(super) attempts: u32,
    pub(super) claims: u32,
    /// Token of the current claim. An expired one is valid until the next claim.
    pub(super) token: Option<u64>,
    /// `None` if the work can be claimed now. Otherwise it can be claimed from this time on, because it is due later or
    /// leased until then.
    pub(super) parked_until: Option<Timestamp>,
}

/// The work queue of one namespace.
#[derive(Default)]
pub(super) struct WorkTable {
    rows: BTreeMap<Key, WorkRow>,
    ready: BTreeSet<(Ring, UserId, Timestamp, PhotoId)>,
    parked: BTreeSet<(WorkKind, bool, Timestamp, PhotoId)>,
    /// Owners who were served last.
    turns: BTreeMap<Ring, UserId>,
}

impl WorkTable {
    pub(super) fn get(&self, key: &Key) -> Option<&WorkRow> {
        self.rows.get(key)
    }

    pub(super) fn is_current(&self, claim: ClaimToken) -> bool {
        let row = self.rows.get(&(claim.photo, claim.kind));
        row.is_some_and(|row| row.token == Some(claim.token))
    }

    pub(super) fn insert(&mut self, key: Key, row: WorkRow) {
        self.remove(&key);
        let (photo, kind) = key;
        match row.parked_until {
            None => self.ready.insert((row.ring(kind), row.owner, row.due_at, photo)),
            Some(until) => self.parked.insert((kind, row.is_orphaned(), until, photo)),
        };
        self.rows.insert(key, row);
    }

    pub(super) fn remove(&mut self, key: &Key) {
        let (photo, kind) = *key;
        if let Some(row) = self.rows.remove(key) {
            match row.parked_until {
                None => self.ready.remove(&(row.ring(kind), row.owner, row.due_at, photo)),
                Some(until) => self.parked.remove(&(kind, row.is_orphaned(), until, photo)),
            };
        }
    }

    /// Changes a row. Returns false if there is none.
    pub(super) fn update(&mut self, key: Key, change: impl FnOnce(&mut WorkRow)) -> bool {
        let Some(mut row) = self.rows.get(&key).copied() else {
            return false;
        };
        change(&mut row);
        self.insert(key, row);
        true
    }

    /// Makes work claimable that became due or whose lease expired, up to [`UNPARK_BATCH`] items.
    pub(super) fn unpark(&mut self, kind: WorkKind, orphaned: bool, now: Timestamp) {
        for _ in 0..UNPARK_BATCH {
            match self.first_parked(kind, orphaned) {
                Some((until, photo)) if until <= now => {
                    self.update((photo, kind), |row| row.parked_until = None);
                }
                _ => return,
            }
        }
    }

    fn first_parked(&self, kind: WorkKind, orphaned: bool) -> Option<(Timestamp, PhotoId)> {
        let from = (kind, orphaned, Timestamp::MIN_UTC, PhotoId::from_bits(0));
        let first = self.parked.range(from..).next()?;
        (first.0 == kind && first.1 == orphaned).then_some((first.2, first.3))
    }

    /// The next work item of a ring: the longest due one of the owner after the one who was served last.
    pub(super) fn next(&mut self, ring: Ring) -> Option<Key> {
        let after = self.turns.get(&ring).copied();
        let (owner, photo) = self
            .first_ready(ring, after.map(|last| last.bits().saturating_add(1)))
            .or_else(|| self.first_ready(ring, None))?;
        self.turns.insert(ring, owner);
        Some((photo, ring.kind))
    }

    /// The longest due work item of the first owner from an id on.
    fn first_ready(&self, ring: Ring, from: Option<u128>) -> Option<(UserId, PhotoId)> {
        let owner = UserId::from_bits(from.unwrap_or_default());
        let from = (ring, owner, Timestamp::MIN_UTC, PhotoId::from_bits(0));
        let first = self.ready.range(from..).next()?;
        (first.0 == ring).then_some((first.1, first.3))
    }

    /// Time at which the first work of a kind can be claimed: `now` if there is some.
    pub(super) fn claimable_at(&self, kind: WorkKind, orphaned: bool, now: Timestamp) -> Option<Timestamp> {
        let ready = [Priority::Fresh, Priority::Bulk].into_iter().any(|priority| {
            let ring = Ring {
                kind,
                orphaned,
                priority,
            };
            self.first_ready(ring, None).is_some()
        });
        if ready {
            return Some(now);
        }
        self.first_parked(kind, orphaned).map(|(until, _)| until)
    }

    /// All rows of a kind.
    pub(super) fn of_kind(&self, kind: WorkKind) -> impl Iterator<Item = (Key, &WorkRow)> {
        let rows = self.rows.iter().map(|(key, row)| (*key, row));
        rows.filter(move |(key, _)| key.1 == kind)
    }
}

impl WorkRow {
    /// New work without a claim.
    pub(super) fn new(owner: UserId, priority: Priority, due: Due, now: Timestamp) -> Self {
        let mut row = Self {
            owner,
            due_at: now,
            priority,
            attempts: 0,
            claims: 0,
            token: None,
            parked_until: None,
        };
        row.park(due, now);
        row
    }

    /// Sets the times of the work. A delay below a millisecond is none.
    pub(super) fn park(&mut self, due: Due, now: Timestamp) {
        let millis = i64::try_from(due.delay().as_millis()).unwrap_or(i64::MAX);
        let delay = chrono::TimeDelta::try_milliseconds(millis).unwrap_or(chrono::TimeDelta::MAX);
        self.due_at = now.checked_add_signed(delay).unwrap_or(Timestamp::MAX_UTC);
        self.parked_until = (self.due_at > now).then_some(self.due_at);
    }

    /// Returns true if it can be claimed at `now`.
    pub(super) fn is_claimable(&self, now: Timestamp) -> bool {
        self.parked_until.is_none_or(|until| until <= now)
    }

    const fn is_orphaned(&self) -> bool {
        self.claims > 0
    }

    const fn ring(&self, kind: WorkKind) -> Ring {
        Ring {
            kind,
            orphaned: self.is_orphaned(),
            priority: self.priority,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_makes_a_bounded_number_of_items_claimable() {
        let mut table = WorkTable::default();
        let now = Timestamp::UNIX_EPOCH;
        let due = Due::After(std::time::Duration::from_secs(1));
        for photo in 0..=UNPARK_BATCH {
            let row = WorkRow::new(UserId::from_bits(1), Priority::Fresh, due, now);
            table.insert((PhotoId::from_bits(photo as u128), WorkKind::Look), row);
        }
        let later = now + due.delay();
        table.unpark(WorkKind::Look, false, later);
        assert_eq!(table.ready.len(), UNPARK_BATCH);
        table.unpark(WorkKind::Look, false, later);
        assert_eq!(table.ready.len(), UNPARK_BATCH + 1);
    }
}
