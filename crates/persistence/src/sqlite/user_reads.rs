use async_trait::async_trait;
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _};
use rapidphoto_application::ports::{PasswordHash, Unavailable, UserCredentials, UserReads};
use rapidphoto_domain::{user::User, values::Email};
use serde_json::Value;

use super::SqliteStore;
use crate::{error::StoreError, rows::decoded, schema::users};

#[async_trait]
impl UserReads for SqliteStore {
    async fn credentials(&self, email: &Email) -> Result<Option<UserCredentials>, Unavailable> {
        let email = email.clone();
        self.read(move |connection, namespace| {
            let row = users::table
                .filter(users::namespace.eq(namespace))
                .filter(users::email.eq(email.as_str()))
                .select((users::state, users::password_hash))
                .first::<(Value, Option<String>)>(connection)
                .optional()
                .map_err(StoreError::from)?;
            // Address and hash are always written together.
            let Some((state, Some(hash))) = row else {
                return Ok(None);
            };
            let user: User = decoded("user", state)?;
            Ok(Some(UserCredentials {
                user: user.id,
                password_hash: PasswordHash(hash),
                status: user.status,
            }))
        })
        .await
    }
}
