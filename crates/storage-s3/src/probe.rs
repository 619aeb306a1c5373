//! Conditional writes: whether uploads require `If-None-Match: *`.

use rapidphoto_application::ports::Unavailable;

use crate::{config::ConditionalWrites, errors, store::S3Store};

impl S3Store {
    /// Finds out with [`ConditionalWrites::Auto`] if the store honours `If-None-Match: *`, and if it does not, signs
    /// upload URLs without it from now on. The result is kept; with another setting nothing is sent.
    ///
    /// Returns true if uploads require the condition.
    ///
    /// Writes an empty object with this key and leaves it there. Servers that start at the same time could otherwise
    /// delete it between another's two writes, and a later probe ends with the first one.
    ///
    /// # Errors
    /// [`Unavailable`] if a write is neither done nor refused for its condition. Until a probe succeeds, uploads require
    /// the condition.
    pub async fn probe(&self, key: &str) -> Result<bool, Unavailable> {
        let conditions = &self.conditions;
        if conditions.configured == ConditionalWrites::Auto && conditions.honoured.get().is_none() {
            // The first write may create the object, the second finds it.
            let honoured = self.refuses_write(key).await? || self.refuses_write(key).await?;
            if !honoured {
                tracing::warn!(
                    bucket = self.bucket,
                    "the object storage ignores If-None-Match: clients can replace an object until its upload URL expires"
                );
            }
            // A concurrent probe has come to the same result.
            let _ = conditions.honoured.set(honoured);
        }
        Ok(conditions.are_required())
    }

    /// Returns true if a conditional write is refused because the object exists, or is being written. A store that knows
    /// no condition may also answer that it is not implemented.
    async fn refuses_write(&self, key: &str) -> Result<bool, Unavailable> {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .if_none_match("*")
            .set_server_side_encryption(self.algorithm())
            .set_ssekms_key_id(self.kms_key());
        match request.send().await {
            Ok(_) => Ok(false),
            Err(error) if matches!(errors::status(&error), Some(412 | 409)) => Ok(true),
            Err(error) if errors::is_unsupported(&error) => Ok(false),
            Err(error) => Err(Unavailable::storage(error)),
        }
    }
}
