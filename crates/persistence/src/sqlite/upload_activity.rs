use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult, RunQueryDsl as _,
    SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
};
use rapidphoto_application::ports::{ACTIVITY_INTERVAL, Unavailable, UploadActivity};
use rapidphoto_domain::{PhotoId, Timestamp};

use super::SqliteStore;
use crate::{
    error::StoreError,
    number::{millis, millis_of, timestamp},
    schema::upload_activity,
};

#[async_trait]
impl UploadActivity for SqliteStore {
    async fn record_activity(&self, photos: &[PhotoId], at: Timestamp) -> Result<(), Unavailable> {
        let photos: Vec<String> = photos.iter().map(ToString::to_string).collect();
        self.write(move |connection, namespace| {
            Ok(record(connection, namespace, &photos, millis(at)).map_err(StoreError::from)?)
        })
        .await
    }

    async fn last_activity(&self, photo: PhotoId) -> Result<Option<Timestamp>, Unavailable> {
        self.read(move |connection, namespace| {
            let last = upload_activity::table
                .filter(upload_activity::namespace.eq(namespace))
                .filter(upload_activity::photo_id.eq(photo.to_string()))
                .select(upload_activity::last_seen)
                .first::<i64>(connection)
                .optional()
                .map_err(StoreError::from)?;
            Ok(last.map(timestamp))
        })
        .await
    }

    async fn delete_activity(&self, before: Timestamp) -> Result<u64, Unavailable> {
        self.write(move |connection, namespace| {
            let old = upload_activity::table
                .filter(upload_activity::namespace.eq(namespace))
                .filter(upload_activity::last_seen.lt(millis(before)));
            let deleted = diesel::delete(old)
                .execute(connection)
                .map_err(StoreError::from)?;
            Ok(deleted as u64)
        })
        .await
    }
}

/// Writes the signs of life by one statement, whatever their number.
fn record(connection: &mut SqliteConnection, namespace: &str, photos: &[String], at: i64) -> QueryResult<()> {
    let photos = serde_json::Value::from(photos).to_string();
    sql_query(
        "INSERT INTO upload_activity (namespace, photo_id, last_seen)
         SELECT ?, value, ? FROM json_each(?) WHERE true
         ON CONFLICT (namespace, photo_id) DO UPDATE SET last_seen = excluded.last_seen
         WHERE excluded.last_seen - upload_activity.last_seen >= ?",
    )
    .bind::<Text, _>(namespace)
    .bind::<BigInt, _>(at)
    .bind::<Text, _>(photos)
    .bind::<BigInt, _>(millis_of(ACTIVITY_INTERVAL))
    .execute(connection)?;
    Ok(())
}
