//! Fair claiming of due work, in one transaction of the writer.
//!
//! Each user's work is ranked: claimed work counts first, then due work, longest due first. The lowest rank is claimed
//! first. Users are thus served in turn, and one user's hundredth photo never precedes another user's first, whether
//! workers claim one item or many at a time.
//!
//! Usually little work is due, and the index on `ready_at` finds it however much is scheduled for later. If more than
//! [`MANY_DUE_THRESHOLD`] items are due, reading all of them for a few claims would block the writer. Then only the
//! first items of each user's queue are read, by the index that is sorted by user. The order is the same either way.

use std::time::Duration;

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult, QueryableByName,
    RunQueryDsl as _, SqliteConnection, sql_query,
    sql_types::{BigInt, Integer, Text},
};
use rapidphoto_application::ports::{Claim, ClaimToken, Priority, WorkKind};
use rapidphoto_domain::Timestamp;

use crate::{
    error::StoreError,
    number::{count, limit, millis, millis_after, small_count, timestamp},
    rows::{kind_of, parsed, priority_number},
    schema::work_tokens,
};

/// Number of due items above which only the heads of the users' queues are read.
const MANY_DUE_THRESHOLD: i64 = 500;

/// Candidates: all claimable work.
pub(super) const ALL_DUE: &str = "
    SELECT rowid AS id, owner, due_at, photo_id
    FROM photo_work
    WHERE namespace = ?1 AND kind IN (SELECT value FROM json_each(?2)) AND ready_at <= ?3 AND priority = ?4";

/// Candidates: at most `{heads}` claimable items of each user and kind. The users are found by skipping through the
/// index from one to the next.
pub(super) const QUEUE_HEADS: &str = "
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

/// The first items of `{due}` in fair order.
const FAIR_ORDER: &str = "
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

/// Claims rows by their ids, with tokens that increase in the order of the ids.
const CLAIM_ROWS: &str = "
    UPDATE photo_work
    SET claims = claims + 1, lease_until = ?3,
        token = ?2 + (SELECT key FROM json_each(?1) WHERE value = photo_work.rowid)
    WHERE rowid IN (SELECT value FROM json_each(?1))";

/// Parameters of a claim.
pub(super) struct ClaimRequest<'a> {
    pub(super) kinds: &'a [WorkKind],
    pub(super) limit: usize,
    pub(super) now: Timestamp,
    pub(super) lease: Duration,
}

/// Claims due work in fair order, fresh work before bulk work.
pub(super) fn claim(
    connection: &mut SqliteConnection,
    namespace: &str,
    request: &ClaimRequest<'_>,
) -> Result<Vec<Claim>, StoreError> {
    match count_due(connection, namespace, request)? {
        0 => Ok(Vec::new()),
        due if due > MANY_DUE_THRESHOLD => claim_from(connection, namespace, request, QUEUE_HEADS),
        _ => claim_from(connection, namespace, request, ALL_DUE),
    }
}

/// Claims from the rows selected by `candidates`.
pub(super) fn claim_from(
    connection: &mut SqliteConnection,
    namespace: &str,
    request: &ClaimRequest<'_>,
    candidates: &str,
) -> Result<Vec<Claim>, StoreError> {
    let mut claims = Vec::new();
    for priority in [Priority::Fresh, Priority::Bulk] {
        let remaining = request.limit.saturating_sub(claims.len());
        if remaining > 0 {
            let next = next_in_fair_order(connection, namespace, request, (candidates, priority, remaining))?;
            // Claimed before the next query, because claimed work counts toward a user's rank.
            let first_token = claim_rows(connection, namespace, request, &next)?;
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

/// Number of due items, counted up to one above the threshold.
fn count_due(
    connection: &mut SqliteConnection,
    namespace: &str,
    request: &ClaimRequest<'_>,
) -> QueryResult<i64> {
    sql_query(
        "SELECT count(*) AS due FROM (
             SELECT 1 FROM photo_work
             WHERE namespace = ?1 AND kind IN (SELECT value FROM json_each(?2)) AND ready_at <= ?3
             LIMIT ?4
         )",
    )
    .bind::<Text, _>(namespace)
    .bind::<Text, _>(kinds_json(request.kinds))
    .bind::<BigInt, _>(millis(request.now))
    .bind::<BigInt, _>(MANY_DUE_THRESHOLD + 1)
    .get_result::<Due>(connection)
    .map(|row| row.due)
}

/// At most `remaining` candidates in fair order.
///
/// The number of heads read of each queue starts at one and doubles until the result is certain: an item after `heads`
/// others of its queue has a rank above `heads`. With many users one head is enough; with few users, more heads are
/// still few rows.
fn next_in_fair_order(
    connection: &mut SqliteConnection,
    namespace: &str,
    request: &ClaimRequest<'_>,
    (candidates, priority, remaining): (&str, Priority, usize),
) -> QueryResult<Vec<DueRow>> {
    let mut heads = if candidates == QUEUE_HEADS { 1 } else { remaining };
    loop {
        let sql = FAIR_ORDER
            .replace("{due}", candidates)
            .replace("{heads}", &heads.to_string());
        let next: Vec<DueRow> = sql_query(sql)
            .bind::<Text, _>(namespace)
            .bind::<Text, _>(kinds_json(request.kinds))
            .bind::<BigInt, _>(millis(request.now))
            .bind::<Integer, _>(priority_number(priority))
            .bind::<BigInt, _>(limit(remaining))
            .load(connection)?;
        let certain = |last: &DueRow| next.len() == remaining && last.place <= limit(heads);
        if heads >= remaining || next.last().is_some_and(certain) {
            return Ok(next);
        }
        heads = heads.saturating_mul(2).min(remaining);
    }
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
    if rows.is_empty() {
        return Ok(first_token);
    }
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

/// Kinds as a JSON array, the form in which the statements take them.
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
    /// The claim; its count of claims includes itself.
    fn into_claim(self, token: i64) -> Result<Claim, StoreError> {
        Ok(Claim {
            token: ClaimToken {
                photo: parsed("photo_id", &self.photo_id)?,
                kind: kind_of(&self.kind)?,
                token: count(token),
            },
            owner: parsed("owner", &self.owner)?,
            attempts: small_count(self.attempts),
            claims: small_count(self.claims).saturating_add(1),
            due_at: timestamp(self.due_at),
        })
    }
}
