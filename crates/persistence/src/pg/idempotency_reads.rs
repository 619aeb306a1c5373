use async_trait::async_trait;
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, SelectableHelper as _};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::{IdempotencyKey, IdempotencyReads, IdempotencyRecord, Unavailable};
use rapidphoto_domain::{Timestamp, UserId};

use super::PgStore;
use crate::{error::StoreError, number::millis, rows::IdempotencyRow, schema::idempotency};

#[async_trait]
impl IdempotencyReads for PgStore {
    async fn idempotency(
        &self,
        owner: UserId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, Unavailable> {
        let row: Option<IdempotencyRow> = idempotency::table
            .filter(idempotency::namespace.eq(&*self.namespace))
            .filter(idempotency::owner.eq(owner.to_string()))
            .filter(idempotency::idempotency_key.eq(key.as_str()))
            .filter(idempotency::expires_at.gt(millis(now)))
            .select(IdempotencyRow::as_select())
            .first(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(row.map(|row| row.into_record(owner, key.clone())).transpose()?)
    }
}
