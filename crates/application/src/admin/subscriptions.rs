use std::sync::Arc;

use rapidphoto_domain::Timestamp;

use crate::{
    error_chain::chain,
    ports::{EventFilter, EventLog, LogError, Ports, SubscriptionState, Subscriptions, Unavailable},
    uploads::SWEEP,
};

/// Lists subscriptions with their lag.
pub struct ListSubscriptionsHandler {
    subscriptions: Arc<dyn Subscriptions>,
    log: Arc<dyn EventLog>,
}

/// A subscription, compared with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionReport {
    /// Stored state.
    pub state: SubscriptionState,
    /// Events after its position.
    pub lag: Result<Lag, Undecodable>,
}

/// Events after the position of a subscription. A runner stores its position every few seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Number of events, at most [`Lag::MAX_EVENTS`].
    pub events: usize,
    /// Time of the first of them.
    pub since: Option<Timestamp>,
}

impl Lag {
    /// Most events that are counted.
    pub const MAX_EVENTS: usize = 1000;
}

/// The subscription is parked: an event after its position can't be decoded by this version of the program. Contains the
/// reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable(pub String);

impl ListSubscriptionsHandler {
    pub(crate) fn new(ports: &Ports) -> Self {
        Self {
            subscriptions: Arc::clone(&ports.database.subscriptions),
            log: Arc::clone(&ports.database.log),
        }
    }

    /// All subscriptions that ever ran, ordered by name.
    pub async fn handle(&self) -> Result<Vec<SubscriptionReport>, Unavailable> {
        let mut reports = Vec::new();
        for state in self.subscriptions.states().await? {
            // A lease without a reader of the log.
            if state.name == SWEEP {
                continue;
            }
            let filter = EventFilter::default();
            let page = self
                .log
                .events_after(state.cursor, &filter, Lag::MAX_EVENTS)
                .await;
            let lag = match page {
                Ok(page) => Ok(Lag {
                    events: page.events.len(),
                    since: page.events.first().map(|event| event.occurred_at),
                }),
                Err(LogError::Unavailable(unavailable)) => return Err(unavailable),
                Err(error) => Err(Undecodable(chain(&error))),
            };
            reports.push(SubscriptionReport { state, lag });
        }
        Ok(reports)
    }
}
