mod aggregates;
mod attempts;
mod held_commits;
mod job_list;
mod journal;
mod log;
mod namespace;
mod open_commits;
mod photo_lists;
mod reads;
mod sessions;
mod subscriptions;
mod upload_activity;
mod usage;
mod validation;
mod work;
mod work_orders;
mod work_table;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use rapidphoto_application::{
    log::EventCodec,
    ports::{Clock, Unavailable},
};

pub use self::held_commits::HeldCommit;
use self::{held_commits::Hold, namespace::Namespace};
use crate::{Faults, Operation, lock::lock};

/// A database in memory: all of its ports over plain maps behind one mutex, so that each call is atomic.
///
/// A commit is fully validated before the first write. Events are stored encoded, so that reads decode them as real
/// adapters do. Every call yields once before it takes effect, as a network call would, so that concurrent use cases
/// interleave at each port.
#[derive(Clone)]
pub struct MemoryStore {
    namespaces: Arc<Mutex<BTreeMap<String, Namespace>>>,
    namespace: String,
    clock: Arc<dyn Clock>,
    codec: EventCodec,
    faults: Arc<Faults>,
    next_hold: Arc<Mutex<Option<Hold>>>,
}

impl MemoryStore {
    /// An empty database.
    pub fn new(clock: Arc<dyn Clock>, codec: EventCodec) -> Self {
        Self {
            namespaces: Arc::default(),
            namespace: "default".to_owned(),
            clock,
            codec,
            faults: Arc::default(),
            next_hold: Arc::default(),
        }
    }

    /// A view of a namespace of the same database.
    pub fn namespace(&self, name: &str) -> Self {
        Self {
            namespace: name.to_owned(),
            ..self.clone()
        }
    }

    /// Fault injection for all views of this database.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Runs `act` on the namespace's data under the lock.
    fn with_namespace<T>(&self, act: impl FnOnce(&mut Namespace) -> T) -> T {
        let mut namespaces = lock(&self.namespaces);
        act(namespaces.entry(self.namespace.clone()).or_default())
    }

    /// Runs a read as a call that may fail and yield.
    async fn read<T>(&self, read: impl FnOnce(&Namespace) -> T + Send) -> Result<T, Unavailable> {
        self.call(Operation::Read, |namespace| read(namespace)).await
    }

    /// Runs `act` as a call that may yield, and may fail before or after it takes effect.
    async fn call<T>(
        &self,
        operation: Operation,
        act: impl FnOnce(&mut Namespace) -> T + Send,
    ) -> Result<T, Unavailable> {
        self.faults.enter(operation).await?;
        let done = self.with_namespace(act);
        self.faults.leave(operation).await?;
        Ok(done)
    }
}
