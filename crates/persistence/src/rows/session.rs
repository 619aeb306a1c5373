use diesel::prelude::*;
use rapidphoto_application::ports::{RefreshSession, Scopes, StreamTicket, TokenHash};

use super::text::parsed;
use crate::{
    error::StoreError,
    number::{millis, timestamp},
    schema::{refresh_tokens, stream_tickets},
};

/// A refresh token, identified by its hash.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = refresh_tokens, treat_none_as_default_value = false)]
pub(crate) struct RefreshRow {
    namespace: String,
    token: Vec<u8>,
    pub(crate) family: Vec<u8>,
    user_id: String,
    scopes: String,
    pub(crate) expires_at: i64,
    pub(crate) revoked: bool,
    pub(crate) rotated_at: Option<i64>,
    pub(crate) successor: Option<Vec<u8>>,
}

impl RefreshRow {
    pub(crate) fn new(namespace: &str, session: &RefreshSession) -> Self {
        Self {
            namespace: namespace.to_owned(),
            token: session.token.0.to_vec(),
            family: session.family.0.to_vec(),
            user_id: session.user.to_string(),
            scopes: session.scopes.to_string(),
            expires_at: millis(session.expires_at),
            revoked: false,
            rotated_at: None,
            successor: None,
        }
    }

    pub(crate) fn into_session(self) -> Result<RefreshSession, StoreError> {
        Ok(RefreshSession {
            token: token_hash(self.token)?,
            family: token_hash(self.family)?,
            user: parsed("user_id", &self.user_id)?,
            scopes: Scopes::parse(&self.scopes),
            expires_at: timestamp(self.expires_at),
        })
    }
}

/// A stream ticket, identified by its hash.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = stream_tickets, treat_none_as_default_value = false)]
pub(crate) struct TicketRow {
    namespace: String,
    ticket: Vec<u8>,
    user_id: String,
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
