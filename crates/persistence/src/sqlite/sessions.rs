use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult,
    RunQueryDsl as _, SelectableHelper as _, SqliteConnection,
};
use rapidphoto_application::ports::{
    RefreshSession, Rotation, Sessions, StreamTicket, TokenHash, Unavailable,
};
use rapidphoto_domain::{JobId, Timestamp};

use super::SqliteStore;
use crate::{
    error::StoreError,
    number::{millis, millis_after, timestamp},
    rows::{RefreshRow, TicketRow},
    schema::{idempotency, refresh_tokens, stream_tickets},
};

#[async_trait]
impl Sessions for SqliteStore {
    async fn open(&self, session: &RefreshSession) -> Result<(), Unavailable> {
        let row = RefreshRow::new(&self.namespace, session);
        self.write(move |connection, _| Ok(insert_token(connection, &row).map_err(StoreError::from)?))
            .await
    }

    async fn rotate(
        &self,
        token: TokenHash,
        successor: TokenHash,
        now: Timestamp,
        grace: Duration,
        expires_at: Timestamp,
    ) -> Result<Rotation, Unavailable> {
        self.write(move |connection, namespace| {
            let request = RotationRequest {
                token,
                successor,
                now,
                grace,
                expires_at,
            };
            Ok(request.rotate(connection, namespace)?)
        })
        .await
    }

    async fn revoke(&self, token: TokenHash) -> Result<(), Unavailable> {
        self.write(move |connection, namespace| {
            if let Some(row) = find(connection, namespace, token).map_err(StoreError::from)? {
                revoke_family(connection, namespace, &row.family).map_err(StoreError::from)?;
            }
            Ok(())
        })
        .await
    }

    async fn add_ticket(&self, ticket: &StreamTicket) -> Result<(), Unavailable> {
        let row = TicketRow::new(&self.namespace, ticket);
        self.write(move |connection, _| {
            diesel::insert_into(stream_tickets::table)
                .values(&row)
                .execute(connection)
                .map_err(StoreError::from)?;
            Ok(())
        })
        .await
    }

    async fn use_ticket(
        &self,
        ticket: TokenHash,
        job: Option<JobId>,
        now: Timestamp,
    ) -> Result<Option<StreamTicket>, Unavailable> {
        self.write(move |connection, namespace| {
            let used = use_ticket(connection, namespace, ticket, job, millis(now));
            let row = used.map_err(StoreError::from)?;
            Ok(row.map(TicketRow::into_ticket).transpose()?)
        })
        .await
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.write(move |connection, namespace| {
            let deleted = delete_expired(connection, namespace, millis(now)).map_err(StoreError::from)?;
            Ok(deleted as u64)
        })
        .await
    }
}

struct RotationRequest {
    token: TokenHash,
    successor: TokenHash,
    now: Timestamp,
    grace: Duration,
    expires_at: Timestamp,
}

impl RotationRequest {
    fn rotate(&self, connection: &mut SqliteConnection, namespace: &str) -> Result<Rotation, StoreError> {
        let usable = |row: &RefreshRow| row.expires_at > millis(self.now) && !row.revoked;
        let Some(row) = find(connection, namespace, self.token)?.filter(usable) else {
            return Ok(Rotation::Invalid);
        };
        match (row.rotated_at, &row.successor) {
            (Some(at), Some(successor)) if millis(self.now) <= millis_after(timestamp(at), self.grace) => {
                let successor = find_by_hash(connection, namespace, successor)?;
                successor.map_or(Ok(Rotation::Invalid), |row| {
                    row.into_session().map(Rotation::Repeated)
                })
            }
            (Some(_), _) => {
                revoke_family(connection, namespace, &row.family)?;
                Ok(Rotation::Reused)
            }
            (None, _) => self.replace(connection, namespace, row).map(Rotation::Rotated),
        }
    }

    fn replace(
        &self,
        connection: &mut SqliteConnection,
        namespace: &str,
        row: RefreshRow,
    ) -> Result<RefreshSession, StoreError> {
        let session = RefreshSession {
            token: self.successor,
            expires_at: self.expires_at,
            ..row.into_session()?
        };
        insert_token(connection, &RefreshRow::new(namespace, &session))?;
        let rotated = refresh_tokens::table
            .filter(refresh_tokens::namespace.eq(namespace))
            .filter(refresh_tokens::token.eq(&self.token.0[..]));
        diesel::update(rotated)
            .set((
                refresh_tokens::rotated_at.eq(millis(self.now)),
                refresh_tokens::successor.eq(&self.successor.0[..]),
            ))
            .execute(connection)?;
        Ok(session)
    }
}

fn insert_token(connection: &mut SqliteConnection, row: &RefreshRow) -> QueryResult<()> {
    diesel::insert_into(refresh_tokens::table)
        .values(row)
        .execute(connection)
        .map(drop)
}

fn find(
    connection: &mut SqliteConnection,
    namespace: &str,
    token: TokenHash,
) -> QueryResult<Option<RefreshRow>> {
    find_by_hash(connection, namespace, &token.0)
}

fn find_by_hash(
    connection: &mut SqliteConnection,
    namespace: &str,
    hash: &[u8],
) -> QueryResult<Option<RefreshRow>> {
    refresh_tokens::table
        .filter(refresh_tokens::namespace.eq(namespace))
        .filter(refresh_tokens::token.eq(hash))
        .select(RefreshRow::as_select())
        .first(connection)
        .optional()
}

fn revoke_family(connection: &mut SqliteConnection, namespace: &str, family: &[u8]) -> QueryResult<()> {
    let members = refresh_tokens::table
        .filter(refresh_tokens::namespace.eq(namespace))
        .filter(refresh_tokens::family.eq(family));
    diesel::update(members)
        .set(refresh_tokens::revoked.eq(true))
        .execute(connection)
        .map(drop)
}

fn use_ticket(
    connection: &mut SqliteConnection,
    namespace: &str,
    ticket: TokenHash,
    job: Option<JobId>,
    now: i64,
) -> QueryResult<Option<TicketRow>> {
    let by_hash = || {
        stream_tickets::table
            .filter(stream_tickets::namespace.eq(namespace))
            .filter(stream_tickets::ticket.eq(&ticket.0[..]))
    };
    let row: Option<TicketRow> = by_hash()
        .select(TicketRow::as_select())
        .first(connection)
        .optional()?;
    let job = job.map(|job| job.to_string());
    let row = row.filter(|row| row.job_id == job);
    let valid = row.filter(|row| row.expires_at > now && (row.used || row.first_use_by > now));
    if valid.as_ref().is_some_and(|row| !row.used) {
        diesel::update(by_hash())
            .set(stream_tickets::used.eq(true))
            .execute(connection)?;
    }
    Ok(valid)
}

fn delete_expired(connection: &mut SqliteConnection, namespace: &str, now: i64) -> QueryResult<usize> {
    let tokens = refresh_tokens::table
        .filter(refresh_tokens::namespace.eq(namespace))
        .filter(refresh_tokens::expires_at.le(now));
    let unusable = stream_tickets::used
        .eq(false)
        .and(stream_tickets::first_use_by.le(now));
    let tickets = stream_tickets::table
        .filter(stream_tickets::namespace.eq(namespace))
        .filter(stream_tickets::expires_at.le(now).or(unusable));
    let keys = idempotency::table
        .filter(idempotency::namespace.eq(namespace))
        .filter(idempotency::expires_at.le(now));
    Ok(diesel::delete(tokens).execute(connection)?
        + diesel::delete(tickets).execute(connection)?
        + diesel::delete(keys).execute(connection)?)
}
