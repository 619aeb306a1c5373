use async_trait::async_trait;
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _};
use rapidphoto_application::ports::{Account, PasswordHash, Unavailable, UserCredentials, UserReads};
use rapidphoto_domain::{UserId, user::User, values::Email};
use serde_json::Value;

use super::SqliteStore;
use crate::{error::StoreError, number::timestamp, rows::decoded, schema::users};

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
                is_admin: user.is_admin,
            }))
        })
        .await
    }

    async fn accounts(&self, after: Option<UserId>, size: usize) -> Result<Vec<Account>, Unavailable> {
        self.read(move |connection, namespace| {
            let rows = users::table
                .filter(users::namespace.eq(namespace))
                .filter(users::user_id.gt(after.map_or_else(String::new, |after| after.to_string())))
                .order(users::user_id)
                .limit(i64::try_from(size).unwrap_or(i64::MAX))
                .select((users::state, users::email, users::created_at))
                .load::<(Value, Option<String>, i64)>(connection)
                .map_err(StoreError::from)?;
            let account = |(state, email, created_at): (Value, Option<String>, i64)| {
                Ok(Account {
                    user: decoded("user", state)?,
                    email,
                    created_at: timestamp(created_at),
                })
            };
            let accounts: Result<_, StoreError> = rows.into_iter().map(account).collect();
            Ok(accounts?)
        })
        .await
    }
}
