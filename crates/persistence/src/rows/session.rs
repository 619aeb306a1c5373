use diesel::prelude::*;
use rapidphoto_application::ports::{Scopes, Session, SessionId, StreamTicket, TokenHash};
use rapidphoto_domain::{Timestamp, UserId};

use super::text::parsed;
use crate::{
    error::StoreError,
    number::{millis, timestamp},
    schema::{sessions, stream_tickets},
};

/// A session, with the hashes of its current and its previous refresh token.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub(crate) struct SessionRow {
    namespace: String,
    session_id: Vec<u8>,
    user_id: String,
    scopes: String,
    pub(crate) token: Vec<u8>,
    pub(crate) previous: Option<Vec<u8>>,
    pub(crate) used_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) ends_at: i64,
}

impl SessionRow {
    pub(crate) fn new(namespace: &str, session: &Session, token: TokenHash, now: Timestamp) -> Self {
        Self {
            namespace: namespace.to_owned(),
            session_id: session.id.0.to_vec(),
            user_id: session.user.to_string(),
            scopes: session.scopes.to_string(),
            token: token.0.to_vec(),
            previous: None,
            used_at: millis(now),
            expires_at: millis(session.expires_at),
            ends_at: millis(session.ends_at),
        }
    }

    /// The same session with another expiry of its token.
    pub(crate) fn expiring_at(self, expires_at: i64) -> Self {
        Self { expires_at, ..self }
    }

    pub(crate) fn user(&self) -> Result<UserId, StoreError> {
        parsed("user_id", &self.user_id)
    }

    pub(crate) fn into_session(self) -> Result<Session, StoreError> {
        Ok(Session {
            user: self.user()?,
            id: session_id(self.session_id)?,
            scopes: Scopes::parse(&self.scopes),
            expires_at: timestamp(self.expires_at),
            ends_at: timestamp(self.ends_at),
        })
    }
}

/// A stream ticket, identified by its hash.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = stream_tickets, treat_none_as_default_value = false)]
pub(crate) struct TicketRow {
    namespace: String,
    ticket: Vec<u8>,
    pub(crate) user_id: String,
    pub(crate) session_id: Vec<u8>,
    pub(crate) job_id: Option<String>,
    pub(crate) first_use_by: i64,
    pub(crate) expires_at: i64,
    pub(crate) used: bool,
}

impl TicketRow {
    pub(crate) fn new(namespace: &str, ticket: &StreamTicket) -> Self {
        Self {
            namespace: namespace.to_owned(),
            ticket: ticket.ticket.0.to_vec(),
            user_id: ticket.user.to_string(),
            session_id: ticket.session.0.to_vec(),
            job_id: ticket.job.map(|job| job.to_string()),
            first_use_by: millis(ticket.first_use_by),
            expires_at: millis(ticket.expires_at),
            used: false,
        }
    }

    pub(crate) fn into_ticket(self) -> Result<StreamTicket, StoreError> {
        let job = self.job_id.as_deref().map(|job| parsed("job_id", job));
        Ok(StreamTicket {
            ticket: token_hash(self.ticket)?,
            user: parsed("user_id", &self.user_id)?,
            session: session_id(self.session_id)?,
            job: job.transpose()?,
            first_use_by: timestamp(self.first_use_by),
            expires_at: timestamp(self.expires_at),
        })
    }
}

fn token_hash(bytes: Vec<u8>) -> Result<TokenHash, StoreError> {
    let hash = bytes
        .try_into()
        .map_err(|_| StoreError::malformed("token")("not 32 bytes".into()))?;
    Ok(TokenHash(hash))
}

pub(crate) fn session_id(bytes: Vec<u8>) -> Result<SessionId, StoreError> {
    let id = bytes
        .try_into()
        .map_err(|_| StoreError::malformed("session_id")("not 16 bytes".into()))?;
    Ok(SessionId(id))
}
