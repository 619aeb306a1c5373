//! Fair claiming of due work, in one transaction of the writer.
//!
//! The owners with claimable work form a ring, in the order of their ids, for each kind and priority. A claim serves the
//! next owners after the one who was served last, one item each, and starts over at the first. It finds each of them and
//! their longest due work by one search of an index, so that its cost depends on neither the number of owners nor the
//! amount of work.

use std::time::Duration;

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult, QueryableByName,
    RunQueryDsl as _, SqliteConnection, sql_query,
    sql_types::{BigInt, Bool, Integer, Text},
};
use rapidphoto_application::ports::{Claim, ClaimToken, Priority, WorkKind};
use rapidphoto_domain::Timestamp;

use crate::{
    error::StoreError,
    number::{count, limit, millis, millis_after, small_count, timestamp},
    rows::{parsed, priority_number},
    schema::work_tokens,
    turns::{Ring, Turns},
};

/// Rows that one statement makes claimable. Together with the size of a claim it bounds the time in the writer.
pub(super) const UNPARK_BATCH: i64 = 500;

/// Makes work claimable that became due or whose lease expired. The token stays: a holder that nobody has replaced
/// continues.
const UNPARK: &str = "
    UPDATE photo_work SET parked_until = NULL
    WHERE rowid IN (SELECT rowid FROM photo_work
                    WHERE namespace = ?1 AND kind = ?2 AND orphaned = ?3 AND parked_until <= ?4
                    ORDER BY parked_until LIMIT ?5)";

/// At most `?6` owners of the ring with the number of their turn: first those after `?5`, then from the beginning.
const NEXT_OWNERS: &str = "
    WITH RECURSIVE
    ahead (owner, place) AS (
        SELECT (SELECT min(work.owner) FROM photo_work AS work WHERE {ready} AND work.owner > ?5), 1
        UNION ALL
        SELECT (SELECT min(work.owner) FROM photo_work AS work WHERE {ready} AND work.owner > ahead.owner), place + 1
        FROM ahead WHERE ahead.owner IS NOT NULL AND place < ?6
    ),
    again (owner, place) AS (
        SELECT (SELECT min(work.owner) FROM photo_work AS work WHERE {ready} AND work.owner <= ?5),
               (SELECT count(owner) FROM ahead) + 1
        WHERE (SELECT count(owner) FROM ahead) < ?6
        UNION ALL
        SELECT (SELECT min(work.owner) FROM photo_work AS work
                WHERE {ready} AND work.owner > again.owner AND work.owner <= ?5), place + 1
        FROM again WHERE again.owner IS NOT NULL AND place < ?6
    )
    SELECT owner, place FROM ahead WHERE owner IS NOT NULL
    UNION ALL
    SELECT owner, place FROM again WHERE owner IS NOT NULL";

/// The `?6` longest due items of each owner in the array `?5`.
const HEADS: &str = "
    SELECT head.rowid AS id, head.photo_id, head.owner, head.attempts, head.claims, head.due_at,
           next.key AS place
    FROM json_each(?5) AS next
    CROSS JOIN photo_work AS head ON head.rowid IN (
        SELECT work.rowid FROM photo_work AS work WHERE {ready} AND work.owner = next.value
        ORDER BY work.due_at, work.photo_id LIMIT ?6)";

/// Rows of a ring.
const READY: &str = "work.namespace = ?1 AND work.kind = ?2 AND work.orphaned = ?3 AND work.priority = ?4
    AND work.parked_until IS NULL";

/// First and last owner of a ring.
const ENDS: &str = "
    SELECT (SELECT min(work.owner) FROM photo_work AS work WHERE {ready}) AS first,
           (SELECT max(work.owner) FROM photo_work AS work WHERE {ready}) AS last";

/// Claims rows by their ids, with tokens that increase in the order of the ids.
const CLAIM_ROWS: &str = "
    UPDATE photo_work
    SET claims = claims + 1, parked_until = ?3,
        token = ?2 + (SELECT key FROM json_each(?1) WHERE value = photo_work.rowid)
    WHERE rowid IN (SELECT value FROM json_each(?1))";

/// Parameters of a claim.
pub(super) struct ClaimRequest<'a> {
    pub(super) kinds: &'a [WorkKind],
    pub(super) orphaned: bool,
    pub(super) limit: usize,
    pub(super) now: Timestamp,
    pub(super) lease: Duration,
}

/// Claims due work in fair order, fresh work before bulk work.
pub(super) fn claim(
    connection: &mut SqliteConnection,
    namespace: &str,
    turns: &Turns,
    request: &ClaimRequest<'_>,
) -> Result<Vec<Claim>, StoreError> {
    for kind in request.kinds {
        sql_query(UNPARK)
            .bind::<Text, _>(namespace)
            .bind::<Text, _>(kind.as_str())
            .bind::<Bool, _>(request.orphaned)
            .bind::<BigInt, _>(millis(request.now))
            .bind::<BigInt, _>(UNPARK_BATCH)
            .execute(connection)?;
    }
    let mut claims = Vec::new();
    for priority in [Priority::Fresh, Priority::Bulk] {
        for kind in request.kinds {
            let ring = Ring {
                kind: *kind,
                priority,
                orphaned: request.orphaned,
            };
            claim_from(connection, namespace, turns, request, ring, &mut claims)?;
        }
    }
    Ok(claims)
}

/// Claims from one ring, round by round, until the request is met or no work is left. Another round is needed if some
/// owners had less work than their share.
fn claim_from(
    connection: &mut SqliteConnection,
    namespace: &str,
    turns: &Turns,
    request: &ClaimRequest<'_>,
    ring: Ring,
    claims: &mut Vec<Claim>,
) -> Result<(), StoreError> {
    loop {
        let room = request.limit.saturating_sub(claims.len());
        if room == 0 {
            return Ok(());
        }
        let after = match turns.last_served(ring) {
            Some(owner) => owner,
            None => turns.first_turn(ends(connection, namespace, ring)?)?,
        };
        let owners = next_owners(connection, namespace, ring, &after, room)?;
        if owners.is_empty() {
            return Ok(());
        }
        let rows = heads(connection, namespace, ring, &owners, room)?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        turns.serve(ring, last.owner.clone());
        let first_token = claim_rows(connection, namespace, request, &rows)?;
        for (row, token) in rows.into_iter().zip(first_token..) {
            claims.push(row.into_claim(ring.kind, token)?);
        }
    }
}

#[derive(QueryableByName)]
struct Owner {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = BigInt)]
    place: i64,
}

/// The owners of the next `room` turns.
fn next_owners(
    connection: &mut SqliteConnection,
    namespace: &str,
    ring: Ring,
    after: &str,
    room: usize,
) -> QueryResult<Vec<String>> {
    let mut owners: Vec<Owner> = sql_query(NEXT_OWNERS.replace("{ready}", READY))
        .bind::<Text, _>(namespace)
        .bind::<Text, _>(ring.kind.as_str())
        .bind::<Bool, _>(ring.orphaned)
        .bind::<Integer, _>(priority_number(ring.priority))
        .bind::<Text, _>(after)
        .bind::<BigInt, _>(limit(room))
        .load(connection)?;
    owners.sort_unstable_by_key(|owner| owner.place);
    Ok(owners.into_iter().map(|row| row.owner).collect())
}

/// Work of these owners in turn, at most `room` items.
fn heads(
    connection: &mut SqliteConnection,
    namespace: &str,
    ring: Ring,
    owners: &[String],
    room: usize,
) -> QueryResult<Vec<DueRow>> {
    let names: Vec<String> = owners.iter().map(|owner| format!("\"{owner}\"")).collect();
    let mut rows: Vec<DueRow> = sql_query(HEADS.replace("{ready}", READY))
        .bind::<Text, _>(namespace)
        .bind::<Text, _>(ring.kind.as_str())
        .bind::<Bool, _>(ring.orphaned)
        .bind::<Integer, _>(priority_number(ring.priority))
        .bind::<Text, _>(format!("[{}]", names.join(",")))
        .bind::<BigInt, _>(limit(room.div_ceil(owners.len().max(1))))
        .load(connection)?;
    rows.sort_unstable_by(|one, other| one.rank().cmp(&other.rank()));
    // Each owner's first items come first, in the order of the owners, then their second items, and so on.
    let mut turns: Vec<(usize, DueRow)> = Vec::with_capacity(rows.len());
    for row in rows {
        let turn = match turns.last() {
            Some((turn, previous)) if previous.place == row.place => turn + 1,
            _ => 0,
        };
        turns.push((turn, row));
    }
    turns.sort_by_key(|(turn, row)| (*turn, row.place));
    Ok(turns.into_iter().map(|(_, row)| row).take(room).collect())
}

#[derive(QueryableByName)]
struct Ends {
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    first: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    last: Option<String>,
}

/// First and last owner of a ring; `None` if it is empty.
fn ends(
    connection: &mut SqliteConnection,
    namespace: &str,
    ring: Ring,
) -> QueryResult<Option<(String, String)>> {
    let ends: Ends = sql_query(ENDS.replace("{ready}", READY))
        .bind::<Text, _>(namespace)
        .bind::<Text, _>(ring.kind.as_str())
        .bind::<Bool, _>(ring.orphaned)
        .bind::<Integer, _>(priority_number(ring.priority))
        .get_result(connection)?;
    Ok(ends.first.zip(ends.last))
}

/// Claims the rows. Returns the token of the first one.
fn claim_rows(
    connection: &mut SqliteConnection,
    namespace: &str,
    request: &ClaimRequest<'_>,
    rows: &[DueRow],
) -> QueryResult<i64> {
    let last = work_tokens::table
        .filter(work_tokens::namespace.eq(namespace))
        .select(work_tokens::last)
        .first::<i64>(connection)
        .optional()?
        .unwrap_or(0);
    let first_token = last.saturating_add(1);
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    sql_query(CLAIM_ROWS)
        .bind::<Text, _>(format!("[{}]", ids.join(",")))
        .bind::<BigInt, _>(first_token)
        .bind::<BigInt, _>(millis_after(request.now, request.lease))
        .execute(connection)?;
    diesel::replace_into(work_tokens::table)
        .values((
            work_tokens::namespace.eq(namespace),
            work_tokens::last.eq(last.saturating_add(limit(rows.len()))),
        ))
        .execute(connection)?;
    Ok(first_token)
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    photo_id: String,
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    #[diesel(sql_type = BigInt)]
    claims: i64,
    #[diesel(sql_type = BigInt)]
    due_at: i64,
    #[diesel(sql_type = BigInt)]
    place: i64,
}

impl DueRow {
    /// Sort key that keeps an owner's items together, longest due first.
    fn rank(&self) -> (i64, i64, &str) {
        (self.place, self.due_at, &self.photo_id)
    }

    /// The claim; its count of claims includes itself.
    fn into_claim(self, kind: WorkKind, token: i64) -> Result<Claim, StoreError> {
        Ok(Claim {
            token: ClaimToken {
                photo: parsed("photo_id", &self.photo_id)?,
                kind,
                token: count(token),
            },
            owner: parsed("owner", &self.owner)?,
            attempts: small_count(self.attempts),
            claims: small_count(self.claims).saturating_add(1),
            due_at: timestamp(self.due_at),
        })
    }
}
