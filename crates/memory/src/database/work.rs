use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use rapidphoto_application::ports::{Claim, ClaimToken, Priority, Unavailable, WorkKind, WorkQueue};
use rapidphoto_domain::{PhotoId, Timestamp, UserId};

use super::{
    MemoryStore,
    namespace::{Lease, Namespace, WorkRow},
};
use crate::Operation;

#[async_trait]
impl WorkQueue for MemoryStore {
    async fn claim(
        &self,
        kinds: &[WorkKind],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let now = self.clock.now();
            let mut next = fair_order(namespace, kinds, now);
            next.truncate(limit);
            next.into_iter()
                .filter_map(|key| claim(namespace, key, now + lease))
                .collect()
        })
        .await
    }

    async fn renew(&self, claim: ClaimToken, lease: Duration) -> Result<bool, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let until = self.clock.now() + lease;
            let row = namespace.work.get_mut(&(claim.photo, claim.kind));
            let held = row.and_then(|row| row.claim.as_mut());
            match held.filter(|held| held.token == claim.token) {
                Some(held) => {
                    held.until = until;
                    true
                }
                None => false,
            }
        })
        .await
    }

    async fn next_due(&self, kinds: &[WorkKind]) -> Result<Option<Timestamp>, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let now = self.clock.now();
            of_kinds(namespace, kinds)
                .map(|(_, row)| match row.claim {
                    Some(claim) if claim.is_active(now) => claim.until.max(row.due_at),
                    Some(_) | None => row.due_at,
                })
                .min()
        })
        .await
    }

    async fn depth(&self, kind: WorkKind) -> Result<u64, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let now = self.clock.now();
            of_kinds(namespace, &[kind])
                .filter(|(_, row)| row.is_due(now) && !row.is_held(now))
                .count() as u64
        })
        .await
    }

    async fn make_looks_due(&self) -> Result<u64, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let now = self.clock.now();
            let mut changed = 0;
            for ((_, kind), row) in &mut namespace.work {
                if *kind == WorkKind::Look && !row.is_due(now) && !row.is_held(now) {
                    row.due_at = now;
                    changed += 1;
                }
            }
            changed
        })
        .await
    }

    async fn expire_claims(&self) -> Result<u64, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let now = self.clock.now();
            let mut ended = 0;
            let leases = namespace.work.values_mut().filter_map(|row| row.claim.as_mut());
            for lease in leases.filter(|lease| lease.until > now) {
                lease.until = now;
                ended += 1;
            }
            ended
        })
        .await
    }
}

type Key = (PhotoId, WorkKind);

fn of_kinds<'a>(namespace: &'a Namespace, kinds: &'a [WorkKind]) -> impl Iterator<Item = (Key, &'a WorkRow)> {
    namespace
        .work
        .iter()
        .filter(|((_, kind), _)| kinds.contains(kind))
        .map(|(key, row)| (*key, row))
}

/// Claimable work in fair order.
fn fair_order(namespace: &Namespace, kinds: &[WorkKind], now: Timestamp) -> Vec<Key> {
    let mut due: Vec<_> = of_kinds(namespace, kinds)
        .filter(|(_, row)| row.is_due(now))
        .collect();
    // Each user's work is ranked: claimed work counts first, so that claims one by one also serve users in turn.
    due.sort_by_key(|(key, row)| (!row.is_held(now), row.priority, row.due_at, *key));
    let mut ranks: BTreeMap<UserId, usize> = BTreeMap::new();
    let mut free: Vec<(Priority, usize, Timestamp, Key)> = Vec::new();
    for (key, row) in due {
        let rank = ranks.entry(row.owner).or_default();
        *rank += 1;
        if !row.is_held(now) {
            free.push((row.priority, *rank, row.due_at, key));
        }
    }
    free.sort_unstable();
    free.into_iter().map(|(_, _, _, key)| key).collect()
}

fn claim(namespace: &mut Namespace, key: Key, until: Timestamp) -> Option<Claim> {
    let token = namespace.next_token();
    let row = namespace.work.get_mut(&key)?;
    row.claims += 1;
    row.claim = Some(Lease { token, until });
    let (photo, kind) = key;
    Some(Claim {
        token: ClaimToken { photo, kind, token },
        owner: row.owner,
        attempts: row.attempts,
        claims: row.claims,
        due_at: row.due_at,
    })
}
