//! Claiming work: who comes next, and taking it in the same statement.
//!
//! Places are counted for each user: what the user holds already comes first, then what is due, the longest due first.
//! Whoever has the lowest place comes next, so that nobody's hundredth photo goes before somebody's first, whether
//! claims come one by one or many at once.
//!
//! Mostly little is due, found by the index on `ready_at` whatever else waits for its day. Where much is due, looking
//! at all of it for a handful of claims would hold the writer up: then as many as are wanted are taken from each user's
//! head of the queue, by the index in which users stand one after the other. Either way the order is the same.

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
const ALL_DUE: &str = "
    SELECT rowid AS id, owner, due_at, photo_id
    FROM photo_work
    WHERE namespace = ?1 AND kind IN (SELECT value FROM json_each(?2)) AND ready_at <= ?3 AND priority = ?4";

/// The same, no more than can be wanted of each user and kind. The users are found by skipping from one to the next.
const HEADS_OF_QUEUES: &str = "
    SELECT work.rowid AS id, work.owner, work.due_at, work.photo_id
    FROM (
        WITH RECURSIVE users (kind, owner) AS (
            SELECT value, (SELECT min(owner) FROM photo_work
                           WHERE namespace = ?1 AND kind = value AND priority = ?4)
            FROM json_each(?2)
            UNION ALL
            SELECT users.kind, (SELECT min(next.owner) FROM photo_work AS next
                                WHERE next.namespace = ?1 AND next.kind = users.kind AND next.priority = ?4
                                  AND next.owner > users.owner)
            FROM users WHERE users.owner IS NOT NULL
        )
        SELECT kind, owner FROM users WHERE owner IS NOT NULL
    ) AS queue
    CROSS JOIN photo_work AS work ON work.rowid IN (
        SELECT head.rowid FROM photo_work AS head
        WHERE head.namespace = ?1 AND head.kind = queue.kind AND head.priority = ?4 AND head.owner = queue.owner
          AND head.due_at <= ?3 AND (head.lease_until IS NULL OR head.lease_until <= ?3)
        ORDER BY head.due_at, head.photo_id
        LIMIT ?5
    )";

/// Takes the first of `{due}` in turn. Tokens go up in the order of the turns.
const TAKE: &str = "
    UPDATE photo_work
    SET claims = claims + 1, token = ?6 + next.turn, lease_until = ?7
    FROM (
        SELECT id, row_number() OVER (ORDER BY place, due_at, photo_id, id) AS turn
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
        )
        ORDER BY turn
        LIMIT ?5
    ) AS next
    WHERE photo_work.rowid = next.id
    RETURNING photo_id, kind, owner, attempts, claims, token, due_at";

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
    let due = due(connection, namespace, wanted)?;
    if due == 0 || wanted.limit == 0 {
        return Ok(Vec::new());
    }
    let candidates = if due > CROWD { HEADS_OF_QUEUES } else { ALL_DUE };
    let mut claims = Vec::new();
    for priority in [Priority::Fresh, Priority::Bulk] {
        let room = wanted.limit.saturating_sub(claims.len());
        if room == 0 {
            break;
        }
        let taken = take(connection, namespace, wanted, (candidates, priority, room))?;
        for row in taken {
            claims.push(row.into_claim()?);
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

/// Takes as many as there is room for, in turn.
fn take(
    connection: &mut SqliteConnection,
    namespace: &str,
    wanted: &Wanted<'_>,
    (candidates, priority, room): (&str, Priority, usize),
) -> QueryResult<Vec<ClaimedRow>> {
    let last_token = work_tokens::table
        .filter(work_tokens::namespace.eq(namespace))
        .select(work_tokens::last)
        .first::<i64>(connection)
        .optional()?
        .unwrap_or(0);
    let mut taken: Vec<ClaimedRow> = sql_query(TAKE.replace("{due}", candidates))
        .bind::<Text, _>(namespace)
        .bind::<Text, _>(kinds_json(wanted.kinds))
        .bind::<BigInt, _>(millis(wanted.now))
        .bind::<Integer, _>(priority_number(priority))
        .bind::<BigInt, _>(limit(room))
        .bind::<BigInt, _>(last_token)
        .bind::<BigInt, _>(millis_after(wanted.now, wanted.lease))
        .load(connection)?;
    // RETURNING knows no order.
    taken.sort_unstable_by_key(|row| row.token);
    if let Some(newest) = taken.last() {
        diesel::replace_into(work_tokens::table)
            .values((
                work_tokens::namespace.eq(namespace),
                work_tokens::last.eq(newest.token),
            ))
            .execute(connection)?;
    }
    Ok(taken)
}

/// Kinds as the statements take them.
fn kinds_json(kinds: &[WorkKind]) -> String {
    let names: Vec<String> = kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
    format!("[{}]", names.join(","))
}

#[derive(QueryableByName)]
struct ClaimedRow {
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
    token: i64,
    #[diesel(sql_type = BigInt)]
    due_at: i64,
}

impl ClaimedRow {
    fn into_claim(self) -> Result<Claim, RecordError> {
        Ok(Claim {
            token: ClaimToken {
                photo: parsed("photo_id", &self.photo_id)?,
                kind: kind_of(&self.kind)?,
                token: count(self.token),
            },
            owner: parsed("owner", &self.owner)?,
            attempts: small_count(self.attempts),
            claims: small_count(self.claims),
            due_at: moment(self.due_at),
        })
    }
}
