use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::{ACTIVITY_INTERVAL, Unavailable, UploadActivity};
use rapidphoto_domain::{PhotoId, Timestamp};

use super::{PgStore, batches::delete_all, statement::statement};
use crate::{
    error::StoreError,
    number::{millis, millis_of, timestamp},
    schema::upload_activity,
};

statement! {
    /// In the order of the ids, in which concurrent calls lock the rows.
    struct Record<'a> {
        namespace: &'a str => Text,
        photos: Vec<String> => Array<Text>,
        at: i64 => BigInt,
        interval: i64 => BigInt,
    } -> BigInt
    = "INSERT INTO upload_activity AS known (namespace, photo_id, last_seen)
       SELECT DISTINCT $1, photo_id, $3 FROM unnest($2) AS seen (photo_id) ORDER BY photo_id
       ON CONFLICT (namespace, photo_id) DO UPDATE SET last_seen = excluded.last_seen
       WHERE known.last_seen <= excluded.last_seen - $4"
}

statement! {
    struct DeleteBefore<'a> {
        namespace: &'a str => Text,
        before: i64 => BigInt,
        limit: i64 => BigInt,
    } -> BigInt
    = "DELETE FROM upload_activity WHERE last_seen < $2 AND ctid = ANY(ARRAY(
           SELECT ctid FROM upload_activity WHERE namespace = $1 AND last_seen < $2 LIMIT $3))"
}

#[async_trait]
impl UploadActivity for PgStore {
    async fn record_activity(&self, photos: &[PhotoId], at: Timestamp) -> Result<(), Unavailable> {
        let statement = Record {
            namespace: &self.namespace,
            photos: photos.iter().map(ToString::to_string).collect(),
            at: millis(at),
            interval: millis_of(ACTIVITY_INTERVAL),
        };
        statement
            .execute(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(())
    }

    async fn last_activity(&self, photo: PhotoId) -> Result<Option<Timestamp>, Unavailable> {
        let last: Option<i64> = upload_activity::table
            .filter(upload_activity::namespace.eq(&*self.namespace))
            .filter(upload_activity::photo_id.eq(photo.to_string()))
            .select(upload_activity::last_seen)
            .first(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(last.map(timestamp))
    }

    async fn delete_activity(&self, before: Timestamp) -> Result<u64, Unavailable> {
        let mut connection = self.connection().await?;
        let deleted = delete_all(&mut connection, |limit| DeleteBefore {
            namespace: &self.namespace,
            before: millis(before),
            limit,
        });
        Ok(deleted.await?)
    }
}
