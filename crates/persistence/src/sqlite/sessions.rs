use std::collections::HashSet;

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult,
    RunQueryDsl as _, SelectableHelper as _, SqliteConnection,
};
use rapidphoto_application::ports::{
    PasswordHash, Rotation, Session, SessionId, Sessions, StreamTicket, TokenHash, TokenRotation, Unavailable,
};
use rapidphoto_domain::{
    JobId, Timestamp, UserId,
    user::{User, UserStatus},
};
use serde_json::Value;

use super::{MAX_BINDS, SqliteStore, tickets};
use crate::{
    error::StoreError,
    number::{millis, millis_after, timestamp},
    rows::{SessionRow, TicketRow, decoded, session_id},
    schema::{idempotency, sessions, stream_tickets, users},
};

#[async_trait]
impl Sessions for SqliteStore {
    async fn now(&self) -> Result<Timestamp, Unavailable> {
        Ok(self.clock.now())
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
        let (user, verified) = (session.user, verified.clone());
        self.write(move |connection, namespace| {
            if !may_log_in(connection, namespace, user, &verified)? {
                return Ok(None);
            }
            let ended = end_beyond(connection, namespace, user, max.saturating_sub(1))?;
            diesel::insert_into(sessions::table)
                .values(&row)
                .execute(connection)
                .map_err(StoreError::from)?;
            Ok(Some(ended))
        })
        .await
    }

    async fn rotate(&self, rotation: &TokenRotation) -> Result<Rotation, Unavailable> {
        let rotation = *rotation;
        self.write(move |connection, namespace| Ok(rotate(connection, namespace, &rotation)?))
            .await
    }

    async fn session_of(&self, token: TokenHash) -> Result<Option<SessionId>, Unavailable> {
        self.read(move |connection, namespace| {
            let found = find_by_token(connection, namespace, token).map_err(StoreError::from)?;
            Ok(found.map(session_id).transpose()?)
        })
        .await
    }

    async fn is_open(&self, session: SessionId, now: Timestamp) -> Result<bool, Unavailable> {
        self.read(move |connection, namespace| {
            let row = find(connection, namespace, &session.0).map_err(StoreError::from)?;
            Ok(row.is_some_and(|row| row.expires_at > millis(now)))
        })
        .await
    }

    async fn ended_among(&self, sessions: &[SessionId]) -> Result<Vec<SessionId>, Unavailable> {
        let (watched, now) = (sessions.to_vec(), millis(self.clock.now()));
        self.read(move |connection, namespace| Ok(ended_among(connection, namespace, watched, now)?))
            .await
    }

    async fn end(&self, session: SessionId) -> Result<Option<UserId>, Unavailable> {
        self.write(move |connection, namespace| {
            let row = find(connection, namespace, &session.0).map_err(StoreError::from)?;
            end(connection, namespace, &session.0).map_err(StoreError::from)?;
            Ok(row.map(|row| row.user()).transpose()?)
        })
        .await
    }

    async fn end_all(&self, user: UserId) -> Result<u64, Unavailable> {
        self.write(move |connection, namespace| Ok(end_beyond(connection, namespace, user, 0)?.len() as u64))
            .await
    }

    async fn add_ticket(&self, ticket: &StreamTicket, max: usize) -> Result<(), Unavailable> {
        let row = TicketRow::new(&self.namespace, ticket);
        self.write(move |connection, namespace| {
            Ok(tickets::add(connection, namespace, &row, max).map_err(StoreError::from)?)
        })
        .await
    }

    async fn use_ticket(
        &self,
        ticket: TokenHash,
        job: Option<JobId>,
        now: Timestamp,
    ) -> Result<Option<StreamTicket>, Unavailable> {
        let find = move |connection: &mut SqliteConnection, namespace: &str| {
            tickets::find_valid(connection, namespace, ticket, job, millis(now)).map_err(StoreError::from)
        };
        // Anybody can present a ticket, and the writer is one for all: only the first use of a valid ticket writes.
        let row = match self.read(find).await? {
            Some(row) if !row.used => {
                let first_use = move |connection: &mut SqliteConnection, namespace: &str| {
                    let row = find(connection, namespace)?;
                    if row.is_some() {
                        tickets::mark_used(connection, namespace, ticket)?;
                    }
                    Ok::<_, StoreError>(row)
                };
                self.write(first_use).await?
            }
            row => row,
        };
        Ok(row.map(TicketRow::into_ticket).transpose()?)
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.write(move |connection, namespace| {
            let deleted = delete_expired(connection, namespace, millis(now)).map_err(StoreError::from)?;
            Ok(deleted as u64)
        })
        .await
    }
}

/// Returns true for an active account whose password has this hash.
fn may_log_in(
    connection: &mut SqliteConnection,
    namespace: &str,
    user: UserId,
    verified: &PasswordHash,
) -> Result<bool, StoreError> {
    let state: Option<Value> = users::table
        .filter(users::namespace.eq(namespace))
        .filter(users::user_id.eq(user.to_string()))
        .filter(users::password_hash.eq(&verified.0))
        .select(users::state)
        .first(connection)
        .optional()?;
    let user: Option<User> = state.map(|state| decoded("user", state)).transpose()?;
    Ok(user.is_some_and(|user| user.status == UserStatus::Active))
}

fn ended_among(
    connection: &mut SqliteConnection,
    namespace: &str,
    mut watched: Vec<SessionId>,
    now: i64,
) -> Result<Vec<SessionId>, StoreError> {
    let mut open = HashSet::new();
    for chunk in watched.chunks(MAX_BINDS - 2) {
        let ids: Vec<&[u8]> = chunk.iter().map(|session| &session.0[..]).collect();
        let found: Vec<Vec<u8>> = sessions::table
            .filter(sessions::namespace.eq(namespace))
            .filter(sessions::session_id.eq_any(ids))
            .filter(sessions::expires_at.gt(now))
            .select(sessions::session_id)
            .load(connection)?;
        for id in found {
            open.insert(session_id(id)?);
        }
    }
    watched.retain(|session| !open.contains(session));
    Ok(watched)
}

fn rotate(
    connection: &mut SqliteConnection,
    namespace: &str,
    rotation: &TokenRotation,
) -> Result<Rotation, StoreError> {
    let now = millis(rotation.now);
    let row = find(connection, namespace, &rotation.session.0)?;
    let Some(row) = row.filter(|row| row.expires_at > now) else {
        return Ok(Rotation::Invalid);
    };
    let token = &rotation.token.0[..];
    if row.token == token {
        let expires_at = millis(rotation.expires_at).min(row.ends_at);
        let by_id = sessions::table
            .filter(sessions::namespace.eq(namespace))
            .filter(sessions::session_id.eq(&rotation.session.0[..]));
        diesel::update(by_id)
            .set((
                sessions::token.eq(&rotation.successor.0[..]),
                sessions::previous.eq(token),
                sessions::used_at.eq(now),
                sessions::expires_at.eq(expires_at),
            ))
            .execute(connection)?;
        return row.expiring_at(expires_at).into_session().map(Rotation::Rotated);
    }
    let repeats = row.previous.as_deref() == Some(token);
    if repeats && now <= millis_after(timestamp(row.used_at), rotation.grace) {
        return row.into_session().map(Rotation::Repeated);
    }
    end(connection, namespace, &rotation.session.0)?;
    row.user().map(Rotation::Reused)
}

fn find(
    connection: &mut SqliteConnection,
    namespace: &str,
    session: &[u8],
) -> QueryResult<Option<SessionRow>> {
    sessions::table
        .filter(sessions::namespace.eq(namespace))
        .filter(sessions::session_id.eq(session))
        .select(SessionRow::as_select())
        .first(connection)
        .optional()
}

fn find_by_token(
    connection: &mut SqliteConnection,
    namespace: &str,
    token: TokenHash,
) -> QueryResult<Option<Vec<u8>>> {
    let is_known = sessions::token
        .eq(&token.0[..])
        .or(sessions::previous.eq(&token.0[..]));
    sessions::table
        .filter(sessions::namespace.eq(namespace).and(is_known))
        .select(sessions::session_id)
        .first(connection)
        .optional()
}

/// Deletes a session and its tickets.
fn end(connection: &mut SqliteConnection, namespace: &str, session: &[u8]) -> QueryResult<()> {
    let tickets = stream_tickets::table
        .filter(stream_tickets::namespace.eq(namespace))
        .filter(stream_tickets::session_id.eq(session));
    diesel::delete(tickets).execute(connection)?;
    let session = sessions::table
        .filter(sessions::namespace.eq(namespace))
        .filter(sessions::session_id.eq(session));
    diesel::delete(session).execute(connection).map(drop)
}

/// Ends the sessions of a user but the `kept` ones that were used last.
fn end_beyond(
    connection: &mut SqliteConnection,
    namespace: &str,
    user: UserId,
    kept: usize,
) -> Result<Vec<SessionId>, StoreError> {
    let ended: Vec<Vec<u8>> = sessions::table
        .filter(sessions::namespace.eq(namespace))
        .filter(sessions::user_id.eq(user.to_string()))
        .order((sessions::used_at.desc(), sessions::session_id.desc()))
        .offset(i64::try_from(kept).unwrap_or(i64::MAX))
        .select(sessions::session_id)
        .load(connection)?;
    for session in &ended {
        end(connection, namespace, session)?;
    }
    ended.into_iter().map(session_id).collect()
}

fn delete_expired(connection: &mut SqliteConnection, namespace: &str, now: i64) -> QueryResult<usize> {
    let expired = sessions::table
        .filter(sessions::namespace.eq(namespace))
        .filter(sessions::expires_at.le(now));
    let unusable = stream_tickets::used
        .eq(false)
        .and(stream_tickets::first_use_by.le(now));
    let tickets = stream_tickets::table
        .filter(stream_tickets::namespace.eq(namespace))
        .filter(stream_tickets::expires_at.le(now).or(unusable));
    let keys = idempotency::table
        .filter(idempotency::namespace.eq(namespace))
        .filter(idempotency::expires_at.le(now));
    Ok(diesel::delete(expired).execute(connection)?
        + diesel::delete(tickets).execute(connection)?
        + diesel::delete(keys).execute(connection)?)
}
