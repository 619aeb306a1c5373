//! Claiming work: who comes next, and taking it in the same transaction of the one writer.
//!
//! Places are counted for each user: what the user holds already comes first, then what is due, the longest due first.
//! Whoever has the lowest place comes next, so that nobody's hundredth photo goes before somebody's first, whether
//! claims come one by one or many at once.
//!
//! Mostly little is due, found by the index on `ready_at` whatever else waits for its day. Where much is due, looking
//! at all of it for a handful of claims would hold the writer up: then only the head of each user's queue is looked at, by
//! the index in which users stand one after the other. Either way the order is the same.

use std::time::Duration;

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult, QueryableByName,
    RunQueryDsl as _, SqliteConnection, sql_query,
    sql_types::{BigInt, Integer, Text},
};
use rapidphoto_application::ports::{Claim, ClaimToken, Priority, WorkKind};
use rapidphoto_domain::Timestamp;

use crate::{
    error::RecordError,
    number::{count, limit, millis, millis_after, moment, small_count},
    rows::{kind_of, parsed, priority_number},
    schema::work_tokens,
};

/// Beyond how many due pieces of work the queue is a crowd.
const CROWD: i64 = 500;

/// What is due and can be claimed, all of it.
pub(super) const ALL_DUE: &str = "
    SELECT rowid AS id, owner, due_at, photo_id
    FROM photo_work
    WHERE namespace = ?1 AND kind IN (SELECT value FROM json_each(?2)) AND ready_at <= ?3 AND priority = ?4";

/// The same, no more than `{heads}` of each user and kind. The users are found by skipping from one to the next.
pub(super) const HEADS_OF_QUEUES: &str = "
    SELECT work.rowid AS id, work.owner, work.due_at, work.photo_id
    FROM (
        WITH RECURSIVE queues (kind, owner) AS (
            SELECT value, (SELECT min(owner) FROM photo_work
                           WHERE namespace = ?1 AND kind = value AND priority = ?4)
            FROM json_each(?2)
            UNION ALL
            SELECT queues.kind, (SELECT min(later.owner) FROM photo_work AS later
                                WHERE later.namespace = ?1 AND later.kind = queues.kind AND later.priority = ?4
                                  AND later.owner > queues.owner)
            FROM queues WHERE queues.owner IS NOT NULL
        )
        SELECT kind, owner FROM queues WHERE owner IS NOT NULL
    ) AS queue
    CROSS JOIN photo_work AS work ON work.rowid IN (
        SELECT head.rowid FROM photo_work AS head
        WHERE head.namespace = ?1 AND head.kind = queue.kind AND head.priority = ?4 AND head.owner = queue.owner
          AND head.due_at <= ?3 AND (head.lease_until IS NULL OR head.lease_until <= ?3)
        ORDER BY head.due_at, head.photo_id
        LIMIT {heads}
    )";

/// The first of `{due}` in turn.
const IN_TURN: &str = "
    SELECT work.rowid AS id, work.photo_id, work.kind, work.owner, work.attempts, work.claims, work.due_at, next.place
    FROM (
        SELECT due.id, due.due_at, due.photo_id,
               coalesce(holding.pieces, 0)
                   + row_number() OVER (PARTITION BY due.owner ORDER BY due.due_at, due.photo_id, due.id) AS place
        FROM ({due}) AS due
        LEFT JOIN (
            SELECT owner, count(*) AS pieces FROM photo_work
            WHERE namespace = ?1 AND token IS NOT NULL AND lease_until > ?3
              AND kind IN (SELECT value FROM json_each(?2))
            GROUP BY owner
        ) AS holding ON holding.owner = due.owner
        ORDER BY place, due_at, photo_id, id
        LIMIT ?5
    ) AS next
    CROSS JOIN photo_work AS work ON work.rowid = next.id
    ORDER BY next.place, next.due_at, next.photo_id, next.id";

/// Takes pieces of work by their rows, with tokens that go up in their order.
const TAKE: &str = "
    UPDATE photo_work
    SET claims = claims + 1, lease_until = ?3,
        token = ?2 + (SELECT key FROM json_each(?1) WHERE value = photo_work.rowid)
    WHERE rowid IN (SELECT value FROM json_each(?1))";

/// How many claims are wanted, on what, and until when.
pub(super) struct Wanted<'a> {
    pub(super) kinds: &'a [WorkKind],
    pub(super) limit: usize,
    pub(super) now: Timestamp,
    pub(super) lease: Duration,
}

/// Claims what comes next, fresh work before bulk.
pub(super) fn claim(
    connection: &mut SqliteConnection,
    namespace: &str,
    wanted: &Wanted<'_>,
) -> Result<Vec<Claim>, RecordError> {
    match due(connection, namespace, wanted)? {
        0 => Ok(Vec::new()),
        due if due > CROWD => claim_from(connection, namespace, wanted, HEADS_OF_QUEUES),
        _ => claim_from(connection, namespace, wanted, ALL_DUE),
    }
}

/// Claims from what `candidates` finds.
pub(super) fn claim_from(
    connection: &mut SqliteConnection,
    namespace: &str,
    wanted: &Wanted<'_>,
    candidates: &str,
) -> Result<Vec<Claim>, RecordError> {
    let mut claims = Vec::new();
    for priority in [Priority::Fresh, Priority::Bulk] {
        let room = wanted.limit.saturating_sub(claims.len());
        if room > 0 {
            let next = in_turn(connection, namespace, wanted, (candidates, priority, room))?;
            // Taken before the next are looked for: what a user has got counts for the user's places.
            let first_token = take(connection, namespace, wanted, &next)?;
            for (row, token) in next.into_iter().zip(first_token..) {
                claims.push(row.into_claim(token)?);
            }
        }
    }
    Ok(claims)
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = BigInt)]
    due: i64,
}

/// How much is due, counted no further than one beyond a crowd.
fn due(connection: &mut SqliteConnection, namespace: &str, wanted: &Wanted<'_>) -> QueryResult<i64> {
    sql_query(
        "SELECT count(*) AS due FROM (
             SELECT 1 FROM photo_work
             WHERE namespace = ?1 AND kind IN (SELECT value FROM json_each(?2)) AND ready_at <= ?3
             LIMIT ?4
         )",
    )
    .bind::<Text, _>(namespace)
    .bind::<Text, _>(kinds_json(wanted.kinds))
    .bind::<BigInt, _>(millis(wanted.now))
    .bind::<BigInt, _>(CROWD + 1)
    .get_result::<Due>(connection)
    .map(|row| row.due)
}

/// As many as there is room for, in turn.
///
/// Of each queue as many heads are looked at as it takes to be sure, beginning with one: what is behind `heads` heads has
/// a place behind `heads`. With many users one head is enough; where there are few, more heads are no more rows.
fn in_turn(
    connection: &mut SqliteConnection,
    namespace: &str,
    wanted: &Wanted<'_>,
    (candidates, priority, room): (&str, Priority, usize),
) -> QueryResult<Vec<DueRow>> {
    let mut heads = if candidates == HEADS_OF_QUEUES { 1 } else { room };
    loop {
        let sql = IN_TURN
            .replace("{due}", candidates)
            .replace("{heads}", &heads.to_string());
        let next: Vec<DueRow> = sql_query(sql)
            .bind::<Text, _>(namespace)
            .bind::<Text, _>(kinds_json(wanted.kinds))
            .bind::<BigInt, _>(millis(wanted.now))
            .bind::<Integer, _>(priority_number(priority))
            .bind::<BigInt, _>(limit(room))
            .load(connection)?;
        let sure = |last: &DueRow| next.len() == room && last.place <= limit(heads);
        if heads >= room || next.last().is_some_and(sure) {
            return Ok(next);
        }
        heads = heads.saturating_mul(2).min(room);
    }
}

/// Takes them, and gives the first one's token.
fn take(
    connection: &mut SqliteConnection,
    namespace: &str,
    wanted: &Wanted<'_>,
    rows: &[DueRow],
) -> QueryResult<i64> {
    let last = work_tokens::table
        .filter(work_tokens::namespace.eq(namespace))
        .select(work_tokens::last)
        .first::<i64>(connection)
        .optional()?
        .unwrap_or(0);
    let first_token = last.saturating_add(1);
    if rows.is_empty() {
        return Ok(first_token);
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    sql_query(TAKE)
        .bind::<Text, _>(format!("[{}]", ids.join(",")))
        .bind::<BigInt, _>(first_token)
        .bind::<BigInt, _>(millis_after(wanted.now, wanted.lease))
        .execute(connection)?;
    diesel::replace_into(work_tokens::table)
        .values((
            work_tokens::namespace.eq(namespace),
            work_tokens::last.eq(last.saturating_add(limit(rows.len()))),
        ))
        .execute(connection)?;
    Ok(first_token)
}

/// Kinds as the statements take them.
fn kinds_json(kinds: &[WorkKind]) -> String {
    let names: Vec<String> = kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
    format!("[{}]", names.join(","))
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    photo_id: String,
    #[diesel(sql_type = Text)]
    kind: String,
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
    /// The claim, which counts itself.
    fn into_claim(self, token: i64) -> Result<Claim, RecordError> {
        Ok(Claim {
            token: ClaimToken {
                photo: parsed("photo_id", &self.photo_id)?,
                kind: kind_of(&self.kind)?,
                token: count(token),
            },
            owner: parsed("owner", &self.owner)?,
            attempts: small_count(self.attempts),
            claims: small_count(self.claims).saturating_add(1),
            due_at: moment(self.due_at),
        })
    }
}
