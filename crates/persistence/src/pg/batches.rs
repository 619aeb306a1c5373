use diesel::{
    pg::Pg,
    query_builder::{QueryFragment, QueryId},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use crate::{error::StoreError, number::limit};

/// Rows that one statement deletes. Readers of the log wait for every transaction that writes.
const BATCH: usize = 1000;

/// Deletes rows batch by batch, each in its own transaction; returns their number. The argument of `statement` is the
/// maximum number of rows. Its condition must be repeated outside of the subquery that selects them: a row may have
/// changed meanwhile.
pub(super) async fn delete_all<S>(
    connection: &mut AsyncPgConnection,
    statement: impl Fn(i64) -> S + Send,
) -> Result<u64, StoreError>
where
    S: QueryFragment<Pg> + QueryId + Send,
{
    let mut total = 0;
    loop {
        let deleted = statement(limit(BATCH)).execute(connection).await?;
        total += deleted as u64;
        if deleted < BATCH {
            return Ok(total);
        }
    }
}
