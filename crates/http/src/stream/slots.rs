use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rapidphoto_domain::UserId;

use crate::problem::{Problem, kinds};

/// Bounds the open streams of each user.
#[derive(Debug)]
pub(crate) struct StreamSlots {
    allowed: u32,
    open: Mutex<HashMap<UserId, u32>>,
}

/// One open stream of a user; frees its place when it is dropped.
#[derive(Debug)]
pub(crate) struct StreamSlot {
    slots: Arc<StreamSlots>,
    user: UserId,
}

/// Suggested wait for a free place. Nobody knows when a stream ends.
const RETRY_AFTER: Duration = Duration::from_secs(10);

impl StreamSlots {
    pub(crate) fn new(allowed: u32) -> Arc<Self> {
        Arc::new(Self {
            allowed,
            open: Mutex::default(),
        })
    }

    /// Takes a place for a stream of a user.
    ///
    /// # Errors
    /// If the user has as many open streams as are allowed.
    pub(crate) fn take(self: &Arc<Self>, user: UserId) -> Result<StreamSlot, Problem> {
        let mut open = self.open();
        let count = open.entry(user).or_default();
        if *count >= self.allowed {
            return Err(Problem::new(kinds::TOO_MANY_STREAMS)
                .usage(u64::from(*count), u64::from(self.allowed))
                .retry_after(RETRY_AFTER));
        }
        *count += 1;
        Ok(StreamSlot {
            slots: Arc::clone(self),
            user,
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<UserId, u32>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        let mut open = self.slots.open();
        if let Some(used) = open.get_mut(&self.user) {
            *used -= 1;
            if *used == 0 {
                open.remove(&self.user);
            }
        }
    }
}
