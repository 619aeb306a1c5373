use async_trait::async_trait;
use diesel::{
    OptionalExtension as _,
    sql_types::{BigInt, Json, Nullable, Text},
};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::{Account, PasswordHash, Unavailable, UserCredentials, UserReads};
use rapidphoto_domain::{UserId, user::User, values::Email};
use serde_json::Value;

use super::{PgStore, statement::statement};
use crate::{
    error::StoreError,
    number::{self, timestamp},
    rows::decoded,
};

statement! {
    struct Credentials<'a> {
        namespace: &'a str => Text,
        email: &'a str => Text,
    } -> (Json, Nullable<Text>)
    = "SELECT state, password_hash FROM users WHERE namespace = $1 AND email = $2"
}

statement! {
    struct Accounts<'a> {
        namespace: &'a str => Text,
        after: &'a str => Text,
        limit: i64 => BigInt,
    } -> (Json, Nullable<Text>, BigInt)
    = "SELECT state, email, created_at FROM users WHERE namespace = $1 AND user_id > $2 ORDER BY user_id LIMIT $3"
}

#[async_trait]
impl UserReads for PgStore {
    async fn credentials(&self, email: &Email) -> Result<Option<UserCredentials>, Unavailable> {
        let statement = Credentials {
            namespace: &self.namespace,
            email: email.as_str(),
        };
        let row: Option<(Value, Option<String>)> = statement
            .get_result(&mut self.connection().await?)
            .await
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
    }

    async fn accounts(&self, after: Option<UserId>, size: usize) -> Result<Vec<Account>, Unavailable> {
        let statement = Accounts {
            namespace: &self.namespace,
            // The empty text sorts before every id.
            after: &after.map_or_else(String::new, |after| after.to_string()),
            limit: number::limit(size),
        };
        let rows: Vec<(Value, Option<String>, i64)> = statement
            .load(&mut self.connection().await?)
            .await
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
    }
}
