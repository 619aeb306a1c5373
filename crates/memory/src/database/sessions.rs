use async_trait::async_trait;
use rapidphoto_application::ports::{
    AggregateState, PasswordHash, Rotation, Session, SessionId, Sessions, StreamTicket, TokenHash,
    TokenRotation, Unavailable,
};
use rapidphoto_domain::{JobId, Timestamp, UserId, user::UserStatus};

use super::{
    MemoryStore,
    namespace::{Namespace, SessionRow, TicketRow},
};
use crate::Operation;

#[async_trait]
impl Sessions for MemoryStore {
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
        self.call(Operation::Session, |namespace| {
            if !namespace.may_log_in(session.user, verified) {
                return None;
            }
            let ended = namespace.end_beyond(session.user, max.saturating_sub(1));
            namespace.insert_session(session, token, now);
            Some(ended)
        })
        .await
    }

    async fn rotate(&self, rotation: &TokenRotation) -> Result<Rotation, Unavailable> {
        self.call(Operation::Session, |namespace| namespace.rotate(rotation))
            .await
    }

    async fn session_of(&self, token: TokenHash) -> Result<Option<SessionId>, Unavailable> {
        self.call(Operation::Session, |namespace| {
            let is_known = |row: &&SessionRow| row.token == token || row.previous == Some(token);
            let found = namespace.sessions.values().find(is_known);
            found.map(|row| row.session.id)
        })
        .await
    }

    async fn is_open(&self, session: SessionId, now: Timestamp) -> Result<bool, Unavailable> {
        self.call(Operation::Session, |namespace| namespace.is_open(session, now))
            .await
    }

    async fn ended_among(&self, sessions: &[SessionId]) -> Result<Vec<SessionId>, Unavailable> {
        let now = self.clock.now();
        self.call(Operation::Session, |namespace| {
            let ended = sessions
                .iter()
                .filter(|session| !namespace.is_open(**session, now));
            ended.copied().collect()
        })
        .await
    }

    async fn end(&self, session: SessionId) -> Result<Option<UserId>, Unavailable> {
        self.call(Operation::Session, |namespace| namespace.end(session))
            .await
    }

    async fn end_all(&self, user: UserId) -> Result<u64, Unavailable> {
        self.call(Operation::Session, |namespace| {
            namespace.end_beyond(user, 0).len() as u64
        })
        .await
    }

    async fn add_ticket(&self, ticket: &StreamTicket, max: usize) -> Result<(), Unavailable> {
        self.call(Operation::Session, |namespace| {
            let of_user = namespace
                .tickets
                .values()
                .filter(|row| row.ticket.user == ticket.user);
            let mut known: Vec<_> = of_user
                .map(|row| (row.ticket.expires_at, row.ticket.ticket))
                .collect();
            known.sort_unstable_by(|a, b| b.cmp(a));
            for (_, beyond) in known.into_iter().skip(max.saturating_sub(1)) {
                namespace.tickets.remove(&beyond);
            }
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
            let session = namespace.tickets.get(&ticket)?.ticket.session;
            let is_open = namespace.is_open(session, now);
            let row = namespace.tickets.get_mut(&ticket)?;
            if row.ticket.job != job || !row.is_valid(now) || !is_open {
                return None;
            }
            row.used = true;
            Some(row.ticket.clone())
        })
        .await
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.call(Operation::Session, |namespace| namespace.delete_expired(now))
            .await
    }
}

impl MemoryStore {
    /// Stores a session of a user who needs no account.
    ///
    /// # Errors
    /// If a test requested it.
    pub async fn insert_session(
        &self,
        session: &Session,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        self.call(Operation::Session, |namespace| {
            namespace.insert_session(session, token, now);
        })
        .await
    }
}

impl Namespace {
    /// Returns true for an active account whose password has this hash.
    fn may_log_in(&self, user: UserId, verified: &PasswordHash) -> bool {
        let state = self.state(user).map(|row| &row.state);
        let is_active =
            matches!(state, Some(AggregateState::User(user)) if user.status == UserStatus::Active);
        let mut accounts = self.accounts.values();
        is_active && accounts.any(|account| account.user == user && account.password_hash == *verified)
    }

    fn insert_session(&mut self, session: &Session, token: TokenHash, now: Timestamp) {
        let row = SessionRow {
            session: session.clone(),
            token,
            previous: None,
            used_at: now,
        };
        self.sessions.insert(session.id, row);
    }

    fn rotate(&mut self, rotation: &TokenRotation) -> Rotation {
        let TokenRotation { session, now, .. } = *rotation;
        let row = self.sessions.get_mut(&session);
        let Some(row) = row.filter(|row| row.session.expires_at > now) else {
            return Rotation::Invalid;
        };
        if row.token == rotation.token {
            row.previous = Some(row.token);
            row.token = rotation.successor;
            row.used_at = now;
            row.session.expires_at = rotation.expires_at.min(row.session.ends_at);
            return Rotation::Rotated(row.session.clone());
        }
        if row.previous == Some(rotation.token) && now <= row.used_at + rotation.grace {
            return Rotation::Repeated(row.session.clone());
        }
        let user = row.session.user;
        self.end(session);
        Rotation::Reused(user)
    }

    fn is_open(&self, session: SessionId, now: Timestamp) -> bool {
        let row = self.sessions.get(&session);
        row.is_some_and(|row| row.session.expires_at > now)
    }

    fn end(&mut self, session: SessionId) -> Option<UserId> {
        self.tickets.retain(|_, row| row.ticket.session != session);
        self.sessions.remove(&session).map(|row| row.session.user)
    }

    /// Ends the sessions of a user but the `kept` ones that were used last.
    fn end_beyond(&mut self, user: UserId, kept: usize) -> Vec<SessionId> {
        let of_user = self.sessions.values().filter(|row| row.session.user == user);
        let mut known: Vec<_> = of_user.map(|row| (row.used_at, row.session.id)).collect();
        known.sort_unstable_by(|a, b| b.cmp(a));
        let ended: Vec<_> = known.into_iter().skip(kept).map(|(_, id)| id).collect();
        for session in &ended {
            self.end(*session);
        }
        ended
    }

    fn delete_expired(&mut self, now: Timestamp) -> u64 {
        let before = self.sessions.len() + self.tickets.len() + self.idempotency.len();
        self.sessions.retain(|_, row| row.session.expires_at > now);
        self.tickets.retain(|_, row| row.is_valid(now));
        self.idempotency.retain(|_, record| record.expires_at > now);
        let after = self.sessions.len() + self.tickets.len() + self.idempotency.len();
        (before - after) as u64
    }
}

impl TicketRow {
    fn is_valid(&self, now: Timestamp) -> bool {
        self.ticket.expires_at > now && (self.used || self.ticket.first_use_by > now)
    }
}
