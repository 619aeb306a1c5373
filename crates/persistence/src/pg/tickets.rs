//! Statements on stream tickets.

use diesel::{
    OptionalExtension as _,
    sql_types::{BigInt, Binary, Bool, Nullable, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use rapidphoto_application::ports::TokenHash;
use rapidphoto_domain::JobId;

use super::{batches::delete_all, pool::PooledConnection, statement::statement, transaction::Transaction};
use crate::{error::StoreError, number::limit, rows::TicketRow, schema::stream_tickets};

statement! {
    /// Serialises the transactions that limit the number of a user's tickets.
    struct LockUser<'a> {
        namespace: &'a str => Text,
        user: &'a str => Text,
    } -> Text
    = "SELECT user_id FROM users WHERE namespace = $1 AND user_id = $2 FOR NO KEY UPDATE"
}

statement! {
    /// Removes the tickets of a user but the `kept` ones that expire last.
    struct RemoveBeyond<'a> {
        namespace: &'a str => Text,
        user: &'a str => Text,
        kept: i64 => BigInt,
    } -> BigInt
    = "DELETE FROM stream_tickets WHERE namespace = $1 AND ticket IN (
           SELECT ticket FROM stream_tickets WHERE namespace = $1 AND user_id = $2
           ORDER BY expires_at DESC OFFSET $3)"
}

statement! {
    /// Returns a valid ticket as it was before; only its first use is written.
    struct Redeem<'a> {
        namespace: &'a str => Text,
        ticket: &'a [u8] => Binary,
        job: Option<&'a str> => Nullable<Text>,
        now: i64 => BigInt,
    } -> (Text, Binary, Text, Binary, Nullable<Text>, BigInt, BigInt, Bool)
    = "WITH valid AS (
           SELECT t.* FROM stream_tickets AS t
           JOIN sessions AS s ON s.namespace = t.namespace AND s.session_id = t.session_id
           WHERE t.namespace = $1 AND t.ticket = $2 AND t.job_id IS NOT DISTINCT FROM $3
             AND t.expires_at > $4 AND (t.used OR t.first_use_by > $4) AND s.expires_at > $4
       ), first_use AS (
           UPDATE stream_tickets AS t SET used = true FROM valid
           WHERE t.namespace = $1 AND t.ticket = $2 AND NOT valid.used
       )
       SELECT namespace, ticket, user_id, session_id, job_id, first_use_by, expires_at, used FROM valid"
}

statement! {
    struct DeleteTickets<'a> {
        namespace: &'a str => Text,
        now: i64 => BigInt,
        limit: i64 => BigInt,
    } -> BigInt
    = "DELETE FROM stream_tickets
       WHERE (expires_at <= $2 OR (NOT used AND first_use_by <= $2)) AND ctid = ANY(ARRAY(
           SELECT ctid FROM stream_tickets
           WHERE namespace = $1 AND (expires_at <= $2 OR (NOT used AND first_use_by <= $2)) LIMIT $3))"
}

/// Adds a ticket. Removes those of the user that expire first, so that at most `max` are left.
pub(super) async fn add(
    connection: PooledConnection,
    namespace: &str,
    row: &TicketRow,
    max: usize,
) -> Result<(), StoreError> {
    let transaction = Transaction::on(connection);
    transaction.begin().await?;
    let mut connection = transaction.connection()?;
    let lock = LockUser {
        namespace,
        user: &row.user_id,
    };
    lock.execute(&mut connection).await?;
    let remove = RemoveBeyond {
        namespace,
        user: &row.user_id,
        kept: limit(max.saturating_sub(1)),
    };
    remove.execute(&mut connection).await?;
    diesel::insert_into(stream_tickets::table)
        .values(row)
        .execute(&mut connection)
        .await?;
    drop(transaction.commit().await?);
    Ok(())
}

/// Returns a ticket that is valid at `now` and marks it as used.
pub(super) async fn redeem(
    connection: &mut AsyncPgConnection,
    namespace: &str,
    ticket: TokenHash,
    job: Option<JobId>,
    now: i64,
) -> Result<Option<TicketRow>, StoreError> {
    let job = job.map(|job| job.to_string());
    let statement = Redeem {
        namespace,
        ticket: &ticket.0,
        job: job.as_deref(),
        now,
    };
    Ok(statement.get_result(connection).await.optional()?)
}

pub(super) async fn delete_expired(
    connection: &mut AsyncPgConnection,
    namespace: &str,
    now: i64,
) -> Result<u64, StoreError> {
    delete_all(connection, |limit| DeleteTickets {
        namespace,
        now,
        limit,
    })
    .await
}
