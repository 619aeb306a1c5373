use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_application::ports::{
    RefreshSession, Rotation, Sessions, StreamTicket, TokenHash, Unavailable,
};
use rapidphoto_domain::{JobId, Timestamp};

use super::{
    MemoryStore,
    namespace::{Namespace, RefreshRow, TicketRow},
};
use crate::Operation;

#[async_trait]
impl Sessions for MemoryStore {
    async fn open(&self, session: &RefreshSession) -> Result<(), Unavailable> {
        self.call(Operation::Session, |namespace| {
            insert_token(namespace, session.clone());
        })
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
        self.call(Operation::Session, |namespace| {
            rotate(namespace, token, successor, now, grace, expires_at).unwrap_or(Rotation::Invalid)
        })
        .await
    }

    async fn revoke(&self, token: TokenHash) -> Result<(), Unavailable> {
        self.call(Operation::Session, |namespace| {
            if let Some(row) = namespace.refresh.get(&token) {
                namespace.revoked.insert(row.session.family);
            }
        })
        .await
    }

    async fn add_ticket(&self, ticket: &StreamTicket) -> Result<(), Unavailable> {
        self.call(Operation::Session, |namespace| {
            let row = TicketRow {
                ticket: ticket.clone(),
                used: false,
            };
            namespace.tickets.insert(ticket.ticket, row);
        })
        .await
    }

    async fn use_ticket(
        &self,
        ticket: TokenHash,
        job: Option<JobId>,
        now: Timestamp,
    ) -> Result<Option<StreamTicket>, Unavailable> {
        self.call(Operation::Session, |namespace| {
            let row = namespace.tickets.get_mut(&ticket)?;
            if row.ticket.job != job || !row.is_valid(now) {
                return None;
            }
            row.used = true;
            Some(row.ticket.clone())
        })
        .await
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.call(Operation::Session, |namespace| delete_expired(namespace, now))
            .await
    }
}

fn insert_token(namespace: &mut Namespace, session: RefreshSession) {
    let row = RefreshRow {
        session,
        rotated: None,
    };
    namespace.refresh.insert(row.session.token, row);
}

/// Returns `None` for an unknown, expired or revoked token.
fn rotate(
    namespace: &mut Namespace,
    token: TokenHash,
    successor: TokenHash,
    now: Timestamp,
    grace: Duration,
    expires_at: Timestamp,
) -> Option<Rotation> {
    let row = namespace.refresh.get_mut(&token)?;
    let family = row.session.family;
    if row.session.expires_at <= now || namespace.revoked.contains(&family) {
        return None;
    }
    match row.rotated {
        None => {
            row.rotated = Some((now, successor));
            let session = RefreshSession {
                token: successor,
                expires_at,
                ..row.session.clone()
            };
            insert_token(namespace, session.clone());
            Some(Rotation::Rotated(session))
        }
        Some((at, to)) if now <= at + grace => {
            let session = namespace.refresh.get(&to)?.session.clone();
            Some(Rotation::Repeated(session))
        }
        Some(_) => {
            namespace.revoked.insert(family);
            Some(Rotation::Reused)
        }
    }
}

fn delete_expired(namespace: &mut Namespace, now: Timestamp) -> u64 {
    let before = namespace.refresh.len() + namespace.tickets.len() + namespace.idempotency.len();
    namespace.refresh.retain(|_, row| row.session.expires_at > now);
    namespace.tickets.retain(|_, row| row.is_valid(now));
    namespace.idempotency.retain(|_, record| record.expires_at > now);
    let families: std::collections::BTreeSet<_> =
        namespace.refresh.values().map(|row| row.session.family).collect();
    namespace.revoked.retain(|family| families.contains(family));
    let after = namespace.refresh.len() + namespace.tickets.len() + namespace.idempotency.len();
    (before - after) as u64
}

impl TicketRow {
    fn is_valid(&self, now: Timestamp) -> bool {
        self.ticket.expires_at > now && (self.used || self.ticket.first_use_by > now)
    }
}
