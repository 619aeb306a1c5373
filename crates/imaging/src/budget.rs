use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes of memory that are shared out to photos, first come, first served.
#[derive(Debug)]
pub(crate) struct Budget {
    total: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    peak: u64,
    /// The number that the next to come draws.
    drawn: u64,
    /// The number whose turn it is.
    turn: u64,
}

/// A part of the budget; it is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    bytes: u64,
}

/// More than the whole budget was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooHeavy;

impl Budget {
    pub(crate) fn new(total: u64) -> Arc<Self> {
        Arc::new(Self {
            total,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// The most that was ever shared out at once.
    pub(crate) fn peak(&self) -> u64 {
        self.state().peak
    }

    /// Waits for so many bytes. Whoever waits for much is not overtaken by those who want little.
    pub(crate) fn take(self: &Arc<Self>, bytes: u64) -> Result<Share, TooHeavy> {
        if bytes > self.total {
            return Err(TooHeavy);
        }
        let mut state = self.state();
        let number = state.drawn;
        state.drawn += 1;
        while state.turn != number || state.used + bytes > self.total {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.turn += 1;
        state.used += bytes;
        state.peak = state.peak.max(state.used);
        drop(state);
        self.changed.notify_all();
        Ok(Share {
            budget: Arc::clone(self),
            bytes,
        })
    }

    /// Numbers stay consistent whatever panicked: they are only changed together.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.state().used -= self.bytes;
        self.budget.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::*;

    #[test]
    fn more_than_all_is_refused_at_once() {
        let budget = Budget::new(10);
        assert_eq!(budget.take(11).err(), Some(TooHeavy));
        assert!(budget.take(10).is_ok());
        assert_eq!(budget.peak(), 10);
    }

    #[test]
    fn what_is_given_back_goes_to_the_next() {
        let budget = Budget::new(10);
        let first = budget.take(8).unwrap();
        let (done, waiting) = mpsc::channel();
        let other = Arc::clone(&budget);
        let second = thread::spawn(move || {
            let share = other.take(5).unwrap();
            done.send(()).unwrap();
            drop(share);
        });
        assert!(
            waiting.recv_timeout(Duration::from_millis(50)).is_err(),
            "5 do not fit beside 8"
        );
        drop(first);
        waiting.recv_timeout(Duration::from_mins(1)).unwrap();
        second.join().unwrap();
        assert_eq!(budget.peak(), 8);
    }

    #[test]
    fn nobody_is_overtaken() {
        let budget = Budget::new(10);
        let first = budget.take(5).unwrap();
        let (order, came) = mpsc::channel();
        let wait_for = |bytes: u64| {
            let (budget, order) = (Arc::clone(&budget), order.clone());
            let before = budget.state().drawn;
            let waiting = thread::spawn({
                let budget = Arc::clone(&budget);
                move || {
                    let share = budget.take(bytes).unwrap();
                    order.send(bytes).unwrap();
                    drop(share);
                }
            });
            while budget.state().drawn == before {
                thread::yield_now();
            }
            waiting
        };
        let threads = [wait_for(10), wait_for(1)];
        assert!(
            came.recv_timeout(Duration::from_millis(50)).is_err(),
            "1 would fit, but came after 10"
        );
        drop(first);
        assert_eq!(came.recv_timeout(Duration::from_mins(1)), Ok(10));
        assert_eq!(came.recv_timeout(Duration::from_mins(1)), Ok(1));
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
