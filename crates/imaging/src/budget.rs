use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Memory budget in bytes, from which photos reserve their share in the order of their requests.
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
    /// Ticket of the next request.
    next_ticket: u64,
    /// Ticket of the request that is served next.
    serving: u64,
}

/// Reserved part of the budget, released on drop.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<Budget>,
    bytes: u64,
}

/// Error of a request for more than the whole budget.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ExceedsBudget;

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

    /// Highest number of bytes that was ever reserved at once.
    pub(crate) fn peak(&self) -> u64 {
        self.state().peak
    }

    /// Waits until this many bytes are free and reserves them. Requests are served in order, so that large ones are not
    /// starved by small ones.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: u64) -> Result<Reservation, ExceedsBudget> {
        if bytes > self.total {
            return Err(ExceedsBudget);
        }
        let mut state = self.state();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        while state.serving != ticket || state.used + bytes > self.total {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.serving += 1;
        state.used += bytes;
        state.peak = state.peak.max(state.used);
        drop(state);
        self.changed.notify_all();
        Ok(Reservation {
            budget: Arc::clone(self),
            bytes,
        })
    }

    /// Ignores poisoning: no code panics between two related changes, so the state is always consistent.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reservation {
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
    fn a_request_for_more_than_the_budget_fails_at_once() {
        let budget = Budget::new(10);
        assert_eq!(budget.reserve(11).err(), Some(ExceedsBudget));
        assert!(budget.reserve(10).is_ok());
        assert_eq!(budget.peak(), 10);
    }

    #[test]
    fn a_released_reservation_serves_the_next_request() {
        let budget = Budget::new(10);
        let first = budget.reserve(8).unwrap();
        let (served, waiting) = mpsc::channel();
        let other = Arc::clone(&budget);
        let second = thread::spawn(move || {
            let reservation = other.reserve(5).unwrap();
            served.send(()).unwrap();
            drop(reservation);
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
    fn requests_are_served_in_order() {
        let budget = Budget::new(10);
        let first = budget.reserve(5).unwrap();
        let (order, served) = mpsc::channel();
        let request = |bytes: u64| {
            let (budget, order) = (Arc::clone(&budget), order.clone());
            let before = budget.state().next_ticket;
            let waiting = thread::spawn({
                let budget = Arc::clone(&budget);
                move || {
                    let reservation = budget.reserve(bytes).unwrap();
                    order.send(bytes).unwrap();
                    drop(reservation);
                }
            });
            while budget.state().next_ticket == before {
                thread::yield_now();
            }
            waiting
        };
        let threads = [request(10), request(1)];
        assert!(
            served.recv_timeout(Duration::from_millis(50)).is_err(),
            "1 would fit, but was requested after 10"
        );
        drop(first);
        assert_eq!(served.recv_timeout(Duration::from_mins(1)), Ok(10));
        assert_eq!(served.recv_timeout(Duration::from_mins(1)), Ok(1));
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
