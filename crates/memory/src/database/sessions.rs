use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_application::ports::{
    RefreshSession, Rotation, Sessions, StreamTicket, TokenHash, Unavailable,
};
use rapidphoto_domain::{JobId, Timestamp};

use super::{
    MemoryStore,
    space::{RefreshRow, Space, TicketRow},
};
use crate::Operation;

#[async_trait]
impl Sessions for MemoryStore {
    async fn open(&self, session: &RefreshSession) -> Result<(), Unavailable> {
        self.call(Operation::Session, |space| keep(space, session.clone()))
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
        self.call(Operation::Session, |space| {
            rotate(space, token, successor, now, grace, expires_at).unwrap_or(Rotation::Refused)
        })
        .await
    }

    async fn revoke(&self, token: TokenHash) -> Result<(), Unavailable> {
        self.call(Operation::Session, |space| {
            if let Some(row) = space.refresh.get(&token) {
                space.revoked.insert(row.session.family);
            }
        })
        .await
    }

    async fn add_ticket(&self, ticket: &StreamTicket) -> Result<(), Unavailable> {
        self.call(Operation::Session, |space| {
            let row = TicketRow {
                ticket: ticket.clone(),
                used: false,
            };
            space.tickets.insert(ticket.ticket, row);
        })
        .await
    }

    async fn use_ticket(
        &self,
        ticket: TokenHash,
        job: Option<JobId>,
        now: Timestamp,
    ) -> Result<Option<StreamTicket>, Unavailable> {
        self.call(Operation::Session, |space| {
            let row = space.tickets.get_mut(&ticket)?;
            if row.ticket.job != job || !row.admits(now) {
                return None;
            }
            row.used = true;
            Some(row.ticket.clone())
        })
        .await
    }

    async fn forget_expired(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.call(Operation::Session, |space| forget(space, now)).await
    }
}

fn keep(space: &mut Space, session: RefreshSession) {
    let row = RefreshRow {
        session,
        rotated: None,
    };
    space.refresh.insert(row.session.token, row);
}

/// `None` for a token that is unknown, expired or revoked.
fn rotate(
    space: &mut Space,
    token: TokenHash,
    successor: TokenHash,
    now: Timestamp,
    grace: Duration,
    expires_at: Timestamp,
) -> Option<Rotation> {
    let row = space.refresh.get_mut(&token)?;
    let family = row.session.family;
    if row.session.expires_at <= now || space.revoked.contains(&family) {
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
            keep(space, session.clone());
            Some(Rotation::Rotated(session))
        }
        Some((at, to)) if now <= at + grace => {
            let session = space.refresh.get(&to)?.session.clone();
            Some(Rotation::Repeated(session))
        }
        Some(_) => {
            space.revoked.insert(family);
            Some(Rotation::Reused)
        }
    }
}

fn forget(space: &mut Space, now: Timestamp) -> u64 {
    let before = space.refresh.len() + space.tickets.len() + space.idempotency.len();
    space.refresh.retain(|_, row| row.session.expires_at > now);
    space.tickets.retain(|_, row| row.admits(now));
    space.idempotency.retain(|_, record| record.expires_at > now);
    let families: std::collections::BTreeSet<_> =
        space.refresh.values().map(|row| row.session.family).collect();
    space.revoked.retain(|family| families.contains(family));
    let after = space.refresh.len() + space.tickets.len() + space.idempotency.len();
    (before - after) as u64
}

impl TicketRow {
    fn admits(&self, now: Timestamp) -> bool {
        self.ticket.expires_at > now && (self.used || self.ticket.first_use_by > now)
    }
}
