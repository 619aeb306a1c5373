//! Fair claiming of due work.
//!
//! The owners with claimable work form a ring, in the order of their ids, for each kind and priority. A claim serves the
//! next owners after the one who was served last, one item each, and starts over at the first. It finds each of them and
//! their longest due work by one search of an index, so that its cost depends on neither the number of owners nor the
//! amount of work. Several processes each keep a turn order of their own and skip the rows that another one is claiming.

use std::time::Duration;

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel_async::AsyncPgConnection;
use futures::future::try_join_all;
use rapidphoto_application::ports::{Claim, ClaimToken, Priority, WorkKind};

use super::{
    pipeline::{execute, load},
    statement::{now, statement},
};
use crate::{
    error::StoreError,
    number::{count, limit, millis_of, small_count, timestamp},
    rows::{parsed, priority_number},
    turns::{Ring, Turns},
};

statement! {
    /// Makes work claimable that became due or whose lease expired, at most 500 rows. The token stays: a holder that nobody
    /// has replaced continues.
    pub(super) struct Unpark<'a> {
        namespace: &'a str => Text,
        kind: &'static str => Text,
        orphaned: bool => Bool,
        test_now: Option<i64> => Nullable<BigInt>,
    } -> BigInt
    = concat!(
        "UPDATE photo_work SET parked_until = NULL
         WHERE namespace = $1 AND kind = $2 AND photo_id = ANY(ARRAY(
             SELECT photo_id FROM photo_work
             WHERE namespace = $1 AND kind = $2 AND orphaned = $3 AND parked_until <= ", now!("$4"), "
             ORDER BY parked_until LIMIT 500 FOR UPDATE SKIP LOCKED))"
    )
}

/// Rows of a ring.
macro_rules! ready {
    () => {
        "work.namespace = $1 AND work.kind = $2 AND work.orphaned = $3 AND work.priority = $4
         AND work.parked_until IS NULL"
    };
}

statement! {
    /// Claims at most `room` items of at most `owners` owners: first those after the given one, then from the beginning, each
    /// owner's first items before their second ones.
    ///
    /// Two forms are chosen for their plans: the number of rows in a LIMIT is unknown when the plan is made, for which the
    /// server assumes a tenth of the table. Rows are therefore found by an array of ids, and the second round of owners is
    /// gated by a scalar subquery.
    pub(super) struct ClaimFromRing<'a> {
        namespace: &'a str => Text,
        kind: &'static str => Text,
        orphaned: bool => Bool,
        priority: i32 => Integer,
        after: &'a str => Text,
        room: i64 => BigInt,
        test_now: Option<i64> => Nullable<BigInt>,
        lease: i64 => BigInt,
        owners: i64 => BigInt,
    } -> (Text, Text, BigInt, BigInt, BigInt, BigInt)
    = concat!(
        "WITH RECURSIVE ahead (owner, place) AS (
             (SELECT work.owner, 1::bigint FROM photo_work AS work WHERE ", ready!(), " AND work.owner > $5
              ORDER BY work.owner LIMIT 1)
             UNION ALL
             SELECT next.owner, ahead.place + 1 FROM ahead CROSS JOIN LATERAL (
                 SELECT work.owner FROM photo_work AS work WHERE ", ready!(), " AND work.owner > ahead.owner
                 ORDER BY work.owner LIMIT 1) AS next
             WHERE ahead.place < $9
         ),
         found AS MATERIALIZED (SELECT count(*) AS owners FROM ahead),
         again (owner, place) AS (
             (SELECT work.owner, (SELECT owners FROM found) + 1 FROM photo_work AS work
              WHERE (SELECT owners FROM found) < $9 AND ", ready!(), " AND work.owner <= $5
              ORDER BY work.owner LIMIT 1)
             UNION ALL
             SELECT next.owner, again.place + 1 FROM again CROSS JOIN LATERAL (
                 SELECT work.owner FROM photo_work AS work
                 WHERE ", ready!(), " AND work.owner > again.owner AND work.owner <= $5
                 ORDER BY work.owner LIMIT 1) AS next
             WHERE again.place < $9
         ),
         owners AS MATERIALIZED (SELECT * FROM ahead UNION ALL SELECT * FROM again),
         heads AS MATERIALIZED (
             SELECT owners.place, owners.owner, head.photo_id, head.due_at
             FROM owners CROSS JOIN LATERAL (
                 SELECT work.photo_id, work.due_at FROM photo_work AS work
                 WHERE ", ready!(), " AND work.owner = owners.owner
                 ORDER BY work.due_at, work.photo_id
                 LIMIT (SELECT ceil($6::float / greatest(count(*), 1))::bigint FROM owners)
                 FOR UPDATE SKIP LOCKED) AS head
         ),
         chosen AS MATERIALIZED (
             SELECT photo_id, place, row_number() OVER (PARTITION BY owner ORDER BY due_at, photo_id) AS turn
             FROM heads ORDER BY turn, place LIMIT $6
         ),
         taken AS (
             UPDATE photo_work AS work
             SET claims = claims + 1, token = nextval('work_tokens'), parked_until = ", now!("$7"), " + $8
             WHERE work.namespace = $1 AND work.kind = $2 AND work.photo_id = ANY(ARRAY(SELECT photo_id FROM chosen))
             RETURNING work.photo_id, work.owner, work.attempts, work.claims, work.token, work.due_at
         )
         SELECT taken.* FROM chosen JOIN taken USING (photo_id) ORDER BY chosen.turn, chosen.place"
    )
}

statement! {
    /// First and last owner of a ring.
    struct Ends<'a> {
        namespace: &'a str => Text,
        kind: &'static str => Text,
        orphaned: bool => Bool,
        priority: i32 => Integer,
    } -> (Nullable<Text>, Nullable<Text>)
    = concat!(
        "SELECT (SELECT work.owner FROM photo_work AS work WHERE ", ready!(), " ORDER BY work.owner LIMIT 1),
                (SELECT work.owner FROM photo_work AS work WHERE ", ready!(), " ORDER BY work.owner DESC LIMIT 1)"
    )
}

/// Owners whose work the last round of a claim looks at.
const LAST_OWNERS: usize = 16;

/// Photo, owner, attempts, claims, token and due time of a claim.
type ClaimRow = (String, String, i64, i64, i64, i64);

/// Parameters of a claim.
pub(super) struct ClaimRequest<'a> {
    pub(super) namespace: &'a str,
    pub(super) turns: &'a Turns,
    pub(super) kinds: &'a [WorkKind],
    pub(super) orphaned: bool,
    pub(super) limit: usize,
    pub(super) lease: Duration,
    pub(super) test_now: Option<i64>,
}

impl ClaimRequest<'_> {
    /// Claims due work in fair order, fresh work before bulk work. An error after some was claimed is not reported, so that
    /// it is not left to its leases.
    pub(super) async fn claim(&self, connection: &AsyncPgConnection) -> Result<Vec<Claim>, StoreError> {
        try_join_all(self.kinds.iter().map(|kind| {
            let unpark = Unpark {
                namespace: self.namespace,
                kind: kind.as_str(),
                orphaned: self.orphaned,
                test_now: self.test_now,
            };
            execute(connection, Some(unpark))
        }))
        .await?;
        let mut claims = Vec::new();
        for priority in [Priority::Fresh, Priority::Bulk] {
            for kind in self.kinds {
                let ring = Ring {
                    kind: *kind,
                    priority,
                    orphaned: self.orphaned,
                };
                match self.claim_from(connection, ring, &mut claims).await {
                    Err(error) if claims.is_empty() => return Err(error),
                    Err(error) => {
                        tracing::warn!(error = %error, claimed = claims.len(), "fewer claims than asked for");
                        return Ok(claims);
                    }
                    Ok(()) => {}
                }
            }
        }
        Ok(claims)
    }

    /// Claims from one ring until the request is met or no work is left. Another round is needed if some owners had less
    /// work than their share. If there is none at all, other processes may be claiming that of the next owners, so that the
    /// last round looks at more.
    async fn claim_from(
        &self,
        connection: &AsyncPgConnection,
        ring: Ring,
        claims: &mut Vec<Claim>,
    ) -> Result<(), StoreError> {
        let mut looked_further = false;
        loop {
            let room = self.limit.saturating_sub(claims.len());
            if room == 0 {
                return Ok(());
            }
            let after = match self.turns.last_served(ring) {
                Some(owner) => owner,
                None => self.turns.first_turn(self.ends(connection, ring).await?)?,
            };
            let statement = ClaimFromRing {
                namespace: self.namespace,
                kind: ring.kind.as_str(),
                orphaned: ring.orphaned,
                priority: priority_number(ring.priority),
                after: &after,
                room: limit(room),
                test_now: self.test_now,
                lease: millis_of(self.lease),
                owners: limit(if looked_further {
                    room.max(LAST_OWNERS)
                } else {
                    room
                }),
            };
            let rows: Vec<ClaimRow> = load(connection, Some(statement)).await?;
            let Some((_, last, ..)) = rows.last() else {
                if looked_further || room >= LAST_OWNERS {
                    return Ok(());
                }
                looked_further = true;
                continue;
            };
            self.turns.serve(ring, last.clone());
            for row in rows {
                claims.push(claim(ring.kind, row)?);
            }
        }
    }

    async fn ends(
        &self,
        connection: &AsyncPgConnection,
        ring: Ring,
    ) -> Result<Option<(String, String)>, StoreError> {
        let statement = Ends {
            namespace: self.namespace,
            kind: ring.kind.as_str(),
            orphaned: ring.orphaned,
            priority: priority_number(ring.priority),
        };
        let ends: Vec<(Option<String>, Option<String>)> = load(connection, Some(statement)).await?;
        Ok(ends.into_iter().find_map(|(first, last)| first.zip(last)))
    }
}

fn claim(kind: WorkKind, row: ClaimRow) -> Result<Claim, StoreError> {
    let (photo, owner, attempts, claims, token, due_at) = row;
    Ok(Claim {
        token: ClaimToken {
            photo: parsed("photo_id", &photo)?,
            kind,
            token: count(token),
        },
        owner: parsed("owner", &owner)?,
        attempts: small_count(attempts),
        claims: small_count(claims),
        due_at: timestamp(due_at),
    })
}
