use std::sync::Arc;

use rapidphoto_domain::{JobId, Timestamp, UserId};

use super::SecretToken;
use crate::{
    ports::{Aggregates, Ids, Ports, SessionId, Sessions, StreamTicket, Unavailable},
    settings::AuthSettings,
};

/// New ticket, to be sent to the client once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedTicket {
    /// Secret of the ticket.
    pub ticket: SecretToken,
    /// Latest time of the first use.
    pub first_use_by: Timestamp,
}

/// Reasons why a ticket is not issued or not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TicketError {
    /// The user has no such job.
    #[error("there is no such job")]
    NoSuchJob,
    /// The ticket is unknown, has expired or is for another stream.
    #[error("the ticket is not valid for this stream")]
    Rejected,
    /// The database is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Issues and redeems tickets for live streams.
#[derive(Clone)]
pub struct StreamTickets {
    ids: Arc<dyn Ids>,
    aggregates: Arc<dyn Aggregates>,
    sessions: Arc<dyn Sessions>,
    settings: AuthSettings,
}

impl StreamTickets {
    /// Creates a handler.
    pub fn new(ports: &Ports, settings: AuthSettings) -> Self {
        Self {
            ids: Arc::clone(&ports.ids),
            aggregates: Arc::clone(&ports.database.aggregates),
            sessions: Arc::clone(&ports.database.sessions),
            settings,
        }
    }

    /// Issues a ticket in a session of the user, for a job's stream or, if `job` is `None`, for the user's own stream.
    pub async fn issue(
        &self,
        user: UserId,
        session: SessionId,
        job: Option<JobId>,
    ) -> Result<IssuedTicket, TicketError> {
        if let Some(job) = job {
            let known = self.aggregates.job(job).await?;
            known
                .filter(|known| known.value.owner == user)
                .ok_or(TicketError::NoSuchJob)?;
        }
        let now = self.sessions.now().await?;
        let ticket = SecretToken::new("tkt_", self.ids.secret());
        let first_use_by = now + self.settings.ticket_first_use;
        let stored = StreamTicket {
            ticket: ticket.hash(),
            user,
            session,
            job,
            first_use_by,
            expires_at: now + self.settings.ticket_lifetime,
        };
        self.sessions
            .add_ticket(&stored, self.settings.max_tickets)
            .await?;
        Ok(IssuedTicket { ticket, first_use_by })
    }

    /// Redeems a ticket for the stream of `job`, or for the user's own stream if it is `None`. Returns the ticket's
    /// user and session.
    pub async fn redeem(
        &self,
        ticket: &SecretToken,
        job: Option<JobId>,
    ) -> Result<(UserId, SessionId), TicketError> {
        let now = self.sessions.now().await?;
        let known = self.sessions.use_ticket(ticket.hash(), job, now).await?;
        known
            .map(|known| (known.user, known.session))
            .ok_or(TicketError::Rejected)
    }
}
