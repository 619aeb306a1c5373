mod aggregates;
mod journal;
mod judgement;
mod log;
mod orders;
mod photo_lists;
mod reads;
mod sessions;
mod space;
mod subscriptions;
mod work;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use rapidphoto_application::{
    log::EventCodec,
    ports::{Clock, Unavailable},
};

use self::space::Space;
use crate::{Faults, Operation, lock::lock};

/// A record in memory: every port of the record over plain maps behind one mutex, so that each call is whole.
///
/// Commits check everything first and then write. Events are kept in their stored form, so that reading one decodes it
/// as a real adapter does. Every call steps back once before it does anything, as a call over a network would:
/// concurrent use cases meet at each port.
#[derive(Clone)]
pub struct MemoryStore {
    spaces: Arc<Mutex<BTreeMap<String, Space>>>,
    namespace: String,
    clock: Arc<dyn Clock>,
    codec: EventCodec,
    faults: Arc<Faults>,
}

impl MemoryStore {
    /// An empty record.
    pub fn new(clock: Arc<dyn Clock>, codec: EventCodec) -> Self {
        Self {
            spaces: Arc::default(),
            namespace: "default".to_owned(),
            clock,
            codec,
            faults: Arc::default(),
        }
    }

    /// Another namespace of the same store; the same one for the same name.
    pub fn namespace(&self, name: &str) -> Self {
        Self {
            namespace: name.to_owned(),
            ..self.clone()
        }
    }

    /// What shall fail, for every view of this store.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Does something with the namespace, alone.
    fn alone<T>(&self, act: impl FnOnce(&mut Space) -> T) -> T {
        let mut spaces = lock(&self.spaces);
        act(spaces.entry(self.namespace.clone()).or_default())
    }

    /// Reads, as a call that can fail and be overtaken.
    async fn read<T>(&self, read: impl FnOnce(&Space) -> T + Send) -> Result<T, Unavailable> {
        self.call(Operation::Read, |space| read(space)).await
    }

    /// Does something as a call that can fail before or after, and be overtaken.
    async fn call<T>(
        &self,
        operation: Operation,
        act: impl FnOnce(&mut Space) -> T + Send,
    ) -> Result<T, Unavailable> {
        self.faults.enter(operation).await?;
        let done = self.alone(act);
        self.faults.leave(operation).await?;
        Ok(done)
    }
}
