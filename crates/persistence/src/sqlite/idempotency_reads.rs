use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use rapidphoto_application::ports::{IdempotencyKey, IdempotencyReads, IdempotencyRecord, Unavailable};
use rapidphoto_domain::{Timestamp, UserId};

use super::SqliteStore;
use crate::{error::StoreError, number::millis, rows::IdempotencyRow, schema::idempotency};

#[async_trait]
impl IdempotencyReads for SqliteStore {
    async fn idempotency(
        &self,
        owner: UserId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, Unavailable> {
        let key = key.clone();
        self.read(move |connection, namespace| {
            let row: Option<IdempotencyRow> = idempotency::table
                .filter(idempotency::namespace.eq(namespace))
                .filter(idempotency::owner.eq(owner.to_string()))
                .filter(idempotency::idempotency_key.eq(key.as_str()))
                .filter(idempotency::expires_at.gt(millis(now)))
                .select(IdempotencyRow::as_select())
                .first(connection)
                .optional()
                .map_err(StoreError::from)?;
            Ok(row.map(|row| row.into_record(owner, key)).transpose()?)
        })
        .await
    }
}
