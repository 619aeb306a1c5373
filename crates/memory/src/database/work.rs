use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_application::ports::{
    Claim, ClaimToken, MAX_DEPTH, Priority, SingleProcess, Unavailable, WorkKind, WorkQueue,
};
use rapidphoto_domain::Timestamp;

use super::{
    MemoryStore,
    namespace::Namespace,
    work_table::{Key, Ring, WorkRow},
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
            claim(namespace, kinds, false, limit, self.clock.now(), lease)
        })
        .await
    }

    async fn claim_orphan(&self, kinds: &[WorkKind], lease: Duration) -> Result<Option<Claim>, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            claim(namespace, kinds, true, 1, self.clock.now(), lease).pop()
        })
        .await
    }

    async fn renew(&self, claim: ClaimToken, lease: Duration) -> Result<bool, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let until = self.clock.now() + lease;
            namespace.work.is_current(claim)
                && namespace
                    .work
                    .update((claim.photo, claim.kind), |row| row.parked_until = Some(until))
        })
        .await
    }

    async fn due_in(&self, kinds: &[WorkKind]) -> Result<Option<Duration>, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            next_in(namespace, kinds, false, self.clock.now())
        })
        .await
    }

    async fn orphan_due_in(&self, kinds: &[WorkKind]) -> Result<Option<Duration>, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            next_in(namespace, kinds, true, self.clock.now())
        })
        .await
    }

    async fn depth(&self, kind: WorkKind) -> Result<u64, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let now = self.clock.now();
            let due = namespace.work.of_kind(kind);
            let due = due.filter(|(_, row)| row.is_claimable(now)).count() as u64;
            due.min(MAX_DEPTH)
        })
        .await
    }
}

#[async_trait]
impl SingleProcess for MemoryStore {
    async fn expire_claims(&self) -> Result<u64, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let now = self.clock.now();
            let held = |row: &WorkRow| row.token.is_some() && !row.is_claimable(now);
            change_all(namespace, &WorkKind::ALL, held, |row| row.parked_until = None)
        })
        .await
    }

    async fn expire_leases(&self) -> Result<u64, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let now = self.clock.now();
            let mut ended = 0;
            let leases = namespace.subscriptions.values_mut();
            let leases = leases.filter_map(|row| row.lease.as_mut());
            for lease in leases.filter(|lease| lease.is_active(now)) {
                lease.until = now;
                ended += 1;
            }
            ended
        })
        .await
    }

    async fn shorten_processing_delays(&self, longest: Duration) -> Result<u64, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let latest = self.clock.now() + longest;
            let late =
                |row: &WorkRow| row.token.is_none() && row.parked_until.is_some_and(|until| until > latest);
            change_all(namespace, &[WorkKind::Process], late, |row| {
                row.parked_until = Some(latest);
            })
        })
        .await
    }

    async fn make_looks_due(&self) -> Result<u64, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let now = self.clock.now();
            let waiting = |row: &WorkRow| row.token.is_none() && !row.is_claimable(now);
            change_all(namespace, &[WorkKind::Look], waiting, |row| {
                row.parked_until = None;
                row.due_at = now;
            })
        })
        .await
    }
}

/// Changes the rows that match. Returns their number.
fn change_all(
    namespace: &mut Namespace,
    kinds: &[WorkKind],
    matches: impl Fn(&WorkRow) -> bool,
    change: impl Fn(&mut WorkRow),
) -> u64 {
    let keys: Vec<Key> = kinds
        .iter()
        .flat_map(|kind| namespace.work.of_kind(*kind))
        .filter(|(_, row)| matches(row))
        .map(|(key, _)| key)
        .collect();
    for key in &keys {
        namespace.work.update(*key, &change);
    }
    keys.len() as u64
}

/// Time until work of these kinds can be claimed.
fn next_in(namespace: &Namespace, kinds: &[WorkKind], orphaned: bool, now: Timestamp) -> Option<Duration> {
    kinds
        .iter()
        .filter_map(|kind| namespace.work.claimable_at(*kind, orphaned, now))
        .min()
        .map(|at| (at - now).to_std().unwrap_or_default())
}

/// Claims due work in fair order, fresh work before bulk work.
fn claim(
    namespace: &mut Namespace,
    kinds: &[WorkKind],
    orphaned: bool,
    limit: usize,
    now: Timestamp,
    lease: Duration,
) -> Vec<Claim> {
    for kind in kinds {
        namespace.work.unpark(*kind, orphaned, now);
    }
    let rings = [Priority::Fresh, Priority::Bulk]
        .into_iter()
        .flat_map(|priority| {
            kinds.iter().map(move |kind| Ring {
                kind: *kind,
                orphaned,
                priority,
            })
        });
    let mut claims = Vec::new();
    for ring in rings {
        while claims.len() < limit
            && let Some(key) = namespace.work.next(ring)
        {
            claims.extend(claim_row(namespace, key, now + lease));
        }
    }
    claims
}

fn claim_row(namespace: &mut Namespace, key: Key, until: Timestamp) -> Option<Claim> {
    let token = namespace.next_token();
    namespace.work.update(key, |row| {
        row.claims += 1;
        row.token = Some(token);
        row.parked_until = Some(until);
    });
    let row = namespace.work.get(&key)?;
    let (photo, kind) = key;
    Some(Claim {
        token: ClaimToken { photo, kind, token },
        owner: row.owner,
        attempts: row.attempts,
        claims: row.claims,
        due_at: row.due_at,
    })
}
