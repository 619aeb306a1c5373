use async_trait::async_trait;
use diesel::sql_types::{BigInt, Integer, Json, Nullable, Text};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use rapidphoto_application::ports::{AggregateRow, StateRows, TagMismatch, Unavailable, UsageMismatch};
use rapidphoto_domain::{StreamId, StreamType};
use serde_json::Value;

use super::{PgStore, statement::statement, tag_index, transaction::Transaction, usage_check};
use crate::{
    error::StoreError,
    number::{self, count},
    rows::aggregate_row,
};

/// Types of streams in the order of [`StreamId`]; their numbers in [`RowsAfter`] are their places.
const KINDS: [StreamType; 3] = [StreamType::User, StreamType::Job, StreamType::Photo];

statement! {
    /// Rows of each table after an id; none of the table if that is NULL.
    struct RowsAfter<'a> {
        namespace: &'a str => Text,
        user: Option<&'a str> => Nullable<Text>,
        job: Option<&'a str> => Nullable<Text>,
        photo: Option<&'a str> => Nullable<Text>,
        limit: i64 => BigInt,
    } -> (Integer, Text, BigInt, Json)
    = "(SELECT 0 AS kind, user_id AS id, version, state FROM users
        WHERE namespace = $1 AND user_id > $2 ORDER BY user_id LIMIT $5)
       UNION ALL
       (SELECT 1, job_id, version, state FROM upload_jobs
        WHERE namespace = $1 AND job_id > $3 ORDER BY job_id LIMIT $5)
       UNION ALL
       (SELECT 2, photo_id, version, state FROM photos
        WHERE namespace = $1 AND photo_id > $4 ORDER BY photo_id LIMIT $5)
       ORDER BY kind, id LIMIT $5"
}

statement! {
    /// Every stream has one event with version 1.
    struct StreamCount<'a> {
        namespace: &'a str => Text,
    } -> BigInt
    = "SELECT count(*) FROM events WHERE namespace = $1 AND version = 1"
}

#[async_trait]
impl StateRows for PgStore {
    async fn state_rows(
        &self,
        after: Option<StreamId>,
        limit: usize,
    ) -> Result<Vec<AggregateRow>, Unavailable> {
        let id = after.map(|stream| stream.to_string());
        let [user, job, photo] = KINDS.map(|kind| match after {
            Some(stream) if stream.stream_type() > kind => None,
            Some(stream) if stream.stream_type() == kind => id.as_deref(),
            // Sorts before every id.
            Some(_) | None => Some(""),
        });
        let statement = RowsAfter {
            namespace: &self.namespace,
            user,
            job,
            photo,
            limit: number::limit(limit),
        };
        let rows: Vec<(i32, String, i64, Value)> = statement
            .load(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        let rows = rows.into_iter().map(|(kind, id, version, state)| {
            let kind = match kind {
                0 => StreamType::User,
                1 => StreamType::Job,
                _ => StreamType::Photo,
            };
            aggregate_row(kind, (id, version, state))
        });
        let rows: Result<_, StoreError> = rows.collect();
        Ok(rows?)
    }

    async fn stream_count(&self) -> Result<u64, Unavailable> {
        let transaction = self.long_read().await?;
        let statement = StreamCount {
            namespace: &self.namespace,
        };
        let mut connection = transaction.connection().map_err(StoreError::from)?;
        let streams: i64 = statement
            .get_result(&mut connection)
            .await
            .map_err(StoreError::from)?;
        drop(transaction.commit().await.map_err(StoreError::from)?);
        Ok(count(streams))
    }

    async fn tag_mismatches(&self) -> Result<Vec<TagMismatch>, Unavailable> {
        let transaction = self.long_read().await?;
        let connection = transaction.connection().map_err(StoreError::from)?;
        let mismatches = tag_index::mismatches(connection, &self.namespace).await?;
        drop(transaction.commit().await.map_err(StoreError::from)?);
        Ok(mismatches)
    }

    async fn usage_mismatches(&self) -> Result<Vec<UsageMismatch>, Unavailable> {
        let transaction = self.long_read().await?;
        let connection = transaction.connection().map_err(StoreError::from)?;
        let mismatches = usage_check::mismatches(connection, &self.namespace).await?;
        drop(transaction.commit().await.map_err(StoreError::from)?);
        Ok(mismatches)
    }
}

impl PgStore {
    /// A transaction for a statement that reads whole tables and has no limit of time.
    async fn long_read(&self) -> Result<Transaction, StoreError> {
        let transaction = Transaction::on(self.connection().await?);
        transaction.begin().await?;
        let mut connection = transaction.connection()?;
        connection
            .batch_execute("SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = 0")
            .await?;
        Ok(transaction)
    }
}
