//! Statements in flight together on one connection.
//!
//! The server executes them in the order in which their futures are first polled; `try_join!` polls its futures in their
//! order, and so does a `try_join!` inside another. Every pipeline of the same statements has one round trip, unless the
//! connection has to prepare some of them.
//!
//! Diesel's own methods return futures with the lifetime of the statement, which the compiler can't prove to be `Send` inside
//! a spawned task; these have that of the connection only.

use diesel::{
    QueryResult,
    deserialize::FromSqlRow,
    pg::Pg,
    query_builder::{Query, QueryFragment, QueryId},
};
use diesel_async::{AsyncConnectionCore, AsyncPgConnection};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, future::BoxFuture};

/// Executes a statement, if there is one; returns the number of rows.
pub(super) fn execute<S>(
    mut connection: &AsyncPgConnection,
    statement: Option<S>,
) -> BoxFuture<'_, QueryResult<usize>>
where
    S: QueryFragment<Pg> + QueryId,
{
    match statement {
        Some(statement) => AsyncConnectionCore::execute_returning_count(&mut connection, statement),
        None => futures::future::ready(Ok(0)).boxed(),
    }
}

/// Loads the rows of a statement, if there is one.
pub(super) fn load<S, R>(
    mut connection: &AsyncPgConnection,
    statement: Option<S>,
) -> BoxFuture<'_, QueryResult<Vec<R>>>
where
    S: Query + QueryFragment<Pg> + QueryId,
    R: FromSqlRow<S::SqlType, Pg> + Send + 'static,
{
    let Some(statement) = statement else {
        return futures::future::ready(Ok(Vec::new())).boxed();
    };
    let rows = AsyncConnectionCore::load(&mut connection, statement);
    async move {
        let rows = rows
            .await?
            .map(|row| R::build_from_row(&row?).map_err(diesel::result::Error::DeserializationError));
        rows.try_collect().await
    }
    .boxed()
}
