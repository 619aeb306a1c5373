use std::sync::Arc;

use rapidphoto_domain::{JobId, Timestamp, UserId};

use super::SecretToken;
use crate::{
    ports::{Aggregates, Clock, Ids, Ports, Sessions, StreamTicket, Unavailable},
    settings::AuthSettings,
};

/// A ticket, shown to its holder once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedTicket {
    /// The secret.
    pub ticket: SecretToken,
    /// Until when it must be used for the first time.
    pub first_use_by: Timestamp,
}

/// Why there is no ticket, or why it does not admit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TicketError {
    /// The user has no such job.
    #[error("there is no such job")]
    NoSuchJob,
    /// It is unknown, has run out, or is for another stream.
    #[error("the ticket does not admit to this stream")]
    Refused,
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Gives out and takes tickets for streams.
#[derive(Clone)]
pub struct StreamTickets {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    aggregates: Arc<dyn Aggregates>,
    sessions: Arc<dyn Sessions>,
    settings: AuthSettings,
}

impl StreamTickets {
    /// A counter on these ports.
    pub fn new(ports: &Ports, settings: AuthSettings) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            aggregates: Arc::clone(&ports.database.aggregates),
            sessions: Arc::clone(&ports.database.sessions),
            settings,
        }
    }

    /// A ticket for one job's stream, or for the user's own.
    pub async fn issue(&self, user: UserId, job: Option<JobId>) -> Result<IssuedTicket, TicketError> {
        if let Some(job) = job {
            let known = self.aggregates.job(job).await?;
            known
                .filter(|known| known.value.owner == user)
                .ok_or(TicketError::NoSuchJob)?;
        }
        let now = self.clock.now();
        let ticket = SecretToken::new("tkt_", self.ids.secret());
        let first_use_by = now + self.settings.ticket_first_use;
        self.sessions
            .add_ticket(&StreamTicket {
                ticket: ticket.hash(),
                user,
                job,
                first_use_by,
                expires_at: now + self.settings.ticket_lifetime,
            })
            .await?;
        Ok(IssuedTicket { ticket, first_use_by })
    }

    /// Whose stream a ticket admits to. `job` is the stream that is asked for: `None` for a user's own.
    pub async fn redeem(&self, ticket: &SecretToken, job: Option<JobId>) -> Result<UserId, TicketError> {
        let known = self
            .sessions
            .use_ticket(ticket.hash(), job, self.clock.now())
            .await?;
        known.map(|known| known.user).ok_or(TicketError::Refused)
    }
}
