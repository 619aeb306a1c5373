use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use rapidphoto_application::ports::{Priority, WorkKind};
use rapidphoto_domain::UserId;

use crate::{error::StoreError, rows::parsed};

/// Claimable work of one kind and priority, whose owners are served in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ring {
    pub(crate) kind: WorkKind,
    pub(crate) priority: Priority,
    pub(crate) orphaned: bool,
}

/// Owners who were served last, kept in memory: the turn order needs no write of its own.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Fraction of the distance between the first and the last owner, in units of 2^-64, at which the first claim
    /// begins; before everybody if there is none. Owners near the beginning have no advantage when a process restarts
    /// often.
    start: Option<u64>,
    last: Mutex<HashMap<Ring, String>>,
}

impl Turns {
    pub(crate) fn new(start: Option<u64>) -> Self {
        Self {
            start,
            last: Mutex::default(),
        }
    }

    /// Owner after whom the next claim from the ring begins; `None` if the ring's ends have to be known first.
    pub(crate) fn last_served(&self, ring: Ring) -> Option<String> {
        let known = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match (known.get(&ring), self.start) {
            (Some(owner), _) => Some(owner.clone()),
            (None, None) => Some(String::new()),
            (None, Some(_)) => None,
        }
    }

    /// Owner after whom the first claim from a ring begins, given its first and last owner.
    pub(crate) fn first_turn(&self, ends: Option<(String, String)>) -> Result<String, StoreError> {
        let (Some(start), Some((first, last))) = (self.start, ends) else {
            return Ok(String::new());
        };
        let (first, last): (UserId, UserId) = (parsed("owner", &first)?, parsed("owner", &last)?);
        Ok(between(first, last, start).to_string())
    }

    pub(crate) fn serve(&self, ring: Ring, owner: String) {
        let mut known = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(ring, owner);
    }
}

/// The id at `fraction` × 2^-64 of the distance between two ids.
fn between(first: UserId, last: UserId, fraction: u64) -> UserId {
    let (first, fraction) = (first.bits(), u128::from(fraction));
    let distance = last.bits().saturating_sub(first);
    let (high, low) = (distance >> 64, distance & u128::from(u64::MAX));
    UserId::from_bits(first.saturating_add(high * fraction + ((low * fraction) >> 64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_lies_between_the_first_and_the_last_owner() {
        let (first, last) = (UserId::from_bits(1 << 100), UserId::from_bits(3 << 100));
        assert_eq!(between(first, last, 0), first);
        assert_eq!(between(first, last, 1 << 63), UserId::from_bits(2 << 100));
        assert!(between(first, last, u64::MAX) < last);
        assert_eq!(between(first, first, u64::MAX), first);
    }
}
