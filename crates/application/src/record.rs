use std::sync::Arc;

use crate::ports::{Aggregates, Clock, Commit, EventMetadata, Ids, Journal};

/// What every decision needs: states to decide on, the journal to write by, the time, and names for what is new.
#[derive(Clone)]
pub struct Record {
    /// Loads what is decided on.
    pub aggregates: Arc<dyn Aggregates>,
    /// Writes what was decided.
    pub journal: Arc<dyn Journal>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Names what is new.
    pub ids: Arc<dyn Ids>,
}

impl Record {
    /// A commit of this moment that writes nothing yet.
    pub(crate) fn commit(&self, metadata: EventMetadata) -> Commit {
        Commit::new(self.clock.now(), metadata)
    }
}
