use diesel::prelude::*;
use rapidphoto_application::ports::{IdempotencyKey, IdempotencyRecord};
use rapidphoto_domain::UserId;
use serde_json::Value;

use super::text::{decoded, encoded, parsed};
use crate::{
    error::StoreError,
    number::{millis, timestamp},
    schema::idempotency,
};

/// Stored response of an idempotent request.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = idempotency, treat_none_as_default_value = false)]
pub(crate) struct IdempotencyRow {
    pub(crate) namespace: String,
    pub(crate) owner: String,
    pub(crate) idempotency_key: String,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) photos: Value,
    pub(crate) job_id: Option<String>,
    pub(crate) expires_at: i64,
}

impl IdempotencyRow {
    pub(crate) fn new(namespace: &str, record: &IdempotencyRecord) -> Result<Self, StoreError> {
        Ok(Self {
            namespace: namespace.to_owned(),
            owner: record.owner.to_string(),
            idempotency_key: record.key.as_str().to_owned(),
            fingerprint: record.fingerprint.to_vec(),
            photos: encoded("photos", &record.photos)?,
            job_id: record.job.map(|job| job.to_string()),
            expires_at: millis(record.expires_at),
        })
    }

    pub(crate) fn into_record(
        self,
        owner: UserId,
        key: IdempotencyKey,
    ) -> Result<IdempotencyRecord, StoreError> {
        let fingerprint = self
            .fingerprint
            .try_into()
            .map_err(|_| StoreError::malformed("fingerprint")("not 32 bytes".into()))?;
        let job = self.job_id.as_deref().map(|job| parsed("job_id", job));
        Ok(IdempotencyRecord {
            owner,
            key,
            fingerprint,
            photos: decoded("photos", self.photos)?,
            job: job.transpose()?,
            expires_at: timestamp(self.expires_at),
        })
    }
}
