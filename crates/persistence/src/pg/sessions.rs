use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, SelectableHelper as _,
    sql_types::{Array, BigInt, Binary, Json, Nullable, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use rapidphoto_application::ports::{
    PasswordHash, Rotation, Session, SessionId, Sessions, StreamTicket, TokenHash, TokenRotation, Unavailable,
};
use rapidphoto_domain::{
    JobId, Timestamp, UserId,
    user::{User, UserStatus},
};
use serde_json::Value;

use super::{
    PgStore,
    batches::delete_all,
    statement::{now, statement},
    tickets,
    transaction::Transaction,
};
use crate::{
    error::StoreError,
    number::{limit, millis, millis_after, timestamp},
    rows::{SessionRow, TicketRow, decoded, parsed, session_id},
    schema::sessions,
};

statement! {
    struct Now {
        test_now: Option<i64> => Nullable<BigInt>,
    } -> BigInt
    = concat!("SELECT ", now!("$1"))
}

statement! {
    /// Serialises the transactions that limit the number of a user's sessions, and returns the account if its password has the hash. The account does not change before the transaction
    /// ends.
    struct LockAccount<'a> {
        namespace: &'a str => Text,
        user: &'a str => Text,
        verified: &'a str => Text,
    } -> Json
    = "SELECT state FROM users WHERE namespace = $1 AND user_id = $2 AND password_hash = $3 FOR NO KEY UPDATE"
}

statement! {
    /// Ends the sessions of a user but the `kept` ones that were used last, and their tickets.
    struct EndBeyond<'a> {
        namespace: &'a str => Text,
        user: &'a str => Text,
        kept: i64 => BigInt,
    } -> Binary
    = "WITH beyond AS (
           SELECT session_id FROM sessions WHERE namespace = $1 AND user_id = $2
           ORDER BY used_at DESC, session_id DESC OFFSET $3
       ), tickets AS (
           DELETE FROM stream_tickets WHERE namespace = $1 AND session_id IN (SELECT session_id FROM beyond)
       )
       DELETE FROM sessions WHERE namespace = $1 AND session_id IN (SELECT session_id FROM beyond)
       RETURNING session_id"
}

statement! {
    /// Ends a session and its tickets.
    struct End<'a> {
        namespace: &'a str => Text,
        session: &'a [u8] => Binary,
    } -> Text
    = "WITH tickets AS (DELETE FROM stream_tickets WHERE namespace = $1 AND session_id = $2)
       DELETE FROM sessions WHERE namespace = $1 AND session_id = $2 RETURNING user_id"
}

statement! {
    struct EndedAmong<'a> {
        namespace: &'a str => Text,
        sessions: Vec<&'a [u8]> => Array<Binary>,
        test_now: Option<i64> => Nullable<BigInt>,
    } -> Binary
    = concat!(
        "SELECT watched.id FROM unnest($2) AS watched (id) WHERE NOT EXISTS (
             SELECT 1 FROM sessions AS s
             WHERE s.namespace = $1 AND s.session_id = watched.id AND s.expires_at > ", now!("$3"), ")"
    )
}

statement! {
    struct OfToken<'a> {
        namespace: &'a str => Text,
        token: &'a [u8] => Binary,
    } -> Binary
    = "SELECT session_id FROM sessions WHERE namespace = $1 AND (token = $2 OR previous = $2)"
}

statement! {
    struct DeleteSessions<'a> {
        namespace: &'a str => Text,
        now: i64 => BigInt,
        limit: i64 => BigInt,
    } -> BigInt
    = "DELETE FROM sessions WHERE expires_at <= $2 AND ctid = ANY(ARRAY(
           SELECT ctid FROM sessions WHERE namespace = $1 AND expires_at <= $2 LIMIT $3))"
}

statement! {
    struct DeleteIdempotencyRecords<'a> {
        namespace: &'a str => Text,
        now: i64 => BigInt,
        limit: i64 => BigInt,
    } -> BigInt
    = "DELETE FROM idempotency WHERE expires_at <= $2 AND ctid = ANY(ARRAY(
           SELECT ctid FROM idempotency WHERE namespace = $1 AND expires_at <= $2 LIMIT $3))"
}

#[async_trait]
impl Sessions for PgStore {
    async fn now(&self) -> Result<Timestamp, Unavailable> {
        let statement = Now {
            test_now: self.test_now(),
        };
        let now: i64 = statement
            .get_result(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(timestamp(now))
    }

    async fn open(
        &self,
        session: &Session,
        token: TokenHash,
        verified: &PasswordHash,
        now: Timestamp,
        max: usize,
    ) -> Result<Option<Vec<SessionId>>, Unavailable> {
        let row = SessionRow::new(&self.namespace, session, token, now);
        Ok(self.open_session(&row, session.user, verified, max).await?)
    }

    async fn rotate(&self, rotation: &TokenRotation) -> Result<Rotation, Unavailable> {
        Ok(self.rotate_token(rotation).await?)
    }

    async fn session_of(&self, token: TokenHash) -> Result<Option<SessionId>, Unavailable> {
        let statement = OfToken {
            namespace: &self.namespace,
            token: &token.0,
        };
        let found: Option<Vec<u8>> = statement
            .get_result(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(found.map(session_id).transpose()?)
    }

    async fn is_open(&self, session: SessionId, now: Timestamp) -> Result<bool, Unavailable> {
        let expires_at: Option<i64> = sessions::table
            .filter(sessions::namespace.eq(&*self.namespace))
            .filter(sessions::session_id.eq(&session.0[..]))
            .select(sessions::expires_at)
            .first(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(expires_at.is_some_and(|expires_at| expires_at > millis(now)))
    }

    async fn ended_among(&self, sessions: &[SessionId]) -> Result<Vec<SessionId>, Unavailable> {
        let statement = EndedAmong {
            namespace: &self.namespace,
            sessions: sessions.iter().map(|session| &session.0[..]).collect(),
            test_now: self.test_now(),
        };
        let ended: Vec<Vec<u8>> = statement
            .load(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(ended.into_iter().map(session_id).collect::<Result<_, _>>()?)
    }

    async fn end(&self, session: SessionId) -> Result<Option<UserId>, Unavailable> {
        let statement = End {
            namespace: &self.namespace,
            session: &session.0,
        };
        let user: Option<String> = statement
            .get_result(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(user.map(|user| parsed("user_id", &user)).transpose()?)
    }

    async fn end_all(&self, user: UserId) -> Result<u64, Unavailable> {
        let ended = end_beyond(&mut &*self.connection().await?, &self.namespace, user, 0).await?;
        Ok(ended.len() as u64)
    }

    async fn add_ticket(&self, ticket: &StreamTicket, max: usize) -> Result<(), Unavailable> {
        let row = TicketRow::new(&self.namespace, ticket);
        Ok(tickets::add(self.connection().await?, &self.namespace, &row, max).await?)
    }

    async fn use_ticket(
        &self,
        ticket: TokenHash,
        job: Option<JobId>,
        now: Timestamp,
    ) -> Result<Option<StreamTicket>, Unavailable> {
        let mut connection = self.connection().await?;
        let row = tickets::redeem(&mut connection, &self.namespace, ticket, job, millis(now)).await?;
        Ok(row.map(TicketRow::into_ticket).transpose()?)
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64, Unavailable> {
        let mut connection = self.connection().await?;
        let (namespace, now) = (&*self.namespace, millis(now));
        let sessions = delete_all(&mut connection, |limit| DeleteSessions {
            namespace,
            now,
            limit,
        })
        .await?;
        let tickets = tickets::delete_expired(&mut connection, namespace, now).await?;
        let records = delete_all(&mut connection, |limit| DeleteIdempotencyRecords {
            namespace,
            now,
            limit,
        })
        .await?;
        Ok(sessions + tickets + records)
    }
}

impl PgStore {
    async fn open_session(
        &self,
        row: &SessionRow,
        user: UserId,
        verified: &PasswordHash,
        max: usize,
    ) -> Result<Option<Vec<SessionId>>, StoreError> {
        let transaction = Transaction::on(self.connection().await?);
        transaction.begin().await?;
        let mut connection = transaction.connection()?;
        let lock = LockAccount {
            namespace: &self.namespace,
            user: &user.to_string(),
            verified: &verified.0,
        };
        let state: Option<Value> = lock.get_result(&mut connection).await.optional()?;
        let account: Option<User> = state.map(|state| decoded("user", state)).transpose()?;
        if account.is_none_or(|account| account.status != UserStatus::Active) {
            drop(transaction.rollback().await?);
            return Ok(None);
        }
        let ended = end_beyond(&mut connection, &self.namespace, user, max.saturating_sub(1)).await?;
        diesel::insert_into(sessions::table)
            .values(row)
            .execute(&mut connection)
            .await?;
        drop(transaction.commit().await?);
        Ok(Some(ended))
    }

    async fn rotate_token(&self, rotation: &TokenRotation) -> Result<Rotation, StoreError> {
        let transaction = Transaction::on(self.connection().await?);
        transaction.begin().await?;
        let rotated = rotate(transaction.connection()?, &self.namespace, rotation).await?;
        drop(transaction.commit().await?);
        Ok(rotated)
    }
}

async fn rotate(
    mut connection: &AsyncPgConnection,
    namespace: &str,
    rotation: &TokenRotation,
) -> Result<Rotation, StoreError> {
    let now = millis(rotation.now);
    let by_id = sessions::table
        .filter(sessions::namespace.eq(namespace))
        .filter(sessions::session_id.eq(&rotation.session.0[..]));
    let row: Option<SessionRow> = by_id
        .select(SessionRow::as_select())
        .for_update()
        .first(&mut connection)
        .await
        .optional()?;
    let Some(row) = row.filter(|row| row.expires_at > now) else {
        return Ok(Rotation::Invalid);
    };
    let token = &rotation.token.0[..];
    if row.token == token {
        let expires_at = millis(rotation.expires_at).min(row.ends_at);
        diesel::update(by_id)
            .set((
                sessions::token.eq(&rotation.successor.0[..]),
                sessions::previous.eq(token),
                sessions::used_at.eq(now),
                sessions::expires_at.eq(expires_at),
            ))
            .execute(&mut connection)
            .await?;
        return row.expiring_at(expires_at).into_session().map(Rotation::Rotated);
    }
    let repeats = row.previous.as_deref() == Some(token);
    if repeats && now <= millis_after(timestamp(row.used_at), rotation.grace) {
        return row.into_session().map(Rotation::Repeated);
    }
    let statement = End {
        namespace,
        session: &rotation.session.0,
    };
    statement.execute(&mut connection).await?;
    row.user().map(Rotation::Reused)
}

async fn end_beyond(
    connection: &mut &AsyncPgConnection,
    namespace: &str,
    user: UserId,
    kept: usize,
) -> Result<Vec<SessionId>, StoreError> {
    let statement = EndBeyond {
        namespace,
        user: &user.to_string(),
        kept: limit(kept),
    };
    let ended: Vec<Vec<u8>> = statement.load(connection).await?;
    ended.into_iter().map(session_id).collect()
}
