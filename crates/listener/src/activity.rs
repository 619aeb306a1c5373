use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::time::Instant;

use crate::{limits::Limits, pace::Pace};

/// Use of one connection, shared by its stream, its server and the task that ends unused connections.
#[derive(Debug, Clone)]
pub struct Activity(Arc<Mutex<State>>);

/// A request in progress; dropping it ends the request. A server holds it until the response's body is written and the
/// request's body is read.
#[derive(Debug)]
pub struct RequestInProgress(Activity);

#[derive(Debug)]
struct State {
    requests: usize,
    /// Meaningful while no request is in progress.
    awaited: Awaited,
    since: Instant,
    written: Pace,
    closed: Option<Closed>,
    /// Task of the connection, which notices that it is closed once it is woken.
    task: Option<Waker>,
}

/// Next part of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Its first byte.
    Request,
    /// The rest of its head, or of the TLS handshake.
    Head,
}

/// Reason for which the server closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    SlowHead,
    Idle,
    SlowReader,
    /// Another client needs the slot, and this client has the most.
    Displaced,
}

impl Closed {
    pub(crate) const ALL: [Self; 4] = [Self::SlowHead, Self::Idle, Self::SlowReader, Self::Displaced];

    /// Value of the metric's label.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::SlowHead => "slow_head",
            Self::Idle => "idle",
            Self::SlowReader => "slow_reader",
            Self::Displaced => "displaced",
        }
    }
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            requests: 0,
            awaited: Awaited::Head,
            since: Instant::now(),
            written: Pace::default(),
            closed: None,
            task: None,
        })))
    }

    /// Begins a request, or a part of one that outlives its response, such as the rest of its body.
    pub fn request(&self) -> RequestInProgress {
        self.lock().requests += 1;
        RequestInProgress(self.clone())
    }

    pub(crate) fn read(&self, bytes: usize) {
        let mut state = self.lock();
        if bytes > 0 && state.requests == 0 && state.awaited == Awaited::Request {
            state.awaited = Awaited::Head;
            state.since = Instant::now();
        }
    }

    pub(crate) fn written(&self, bytes: usize) {
        self.lock().written.progress(bytes, Instant::now());
    }

    pub(crate) fn wait_for_reader(&self) {
        self.lock().written.wait(Instant::now());
    }

    /// Returns true if the server closes the connection; otherwise, the task is woken when it does.
    pub(crate) fn is_closed(&self, task: &Context<'_>) -> bool {
        let mut state = self.lock();
        if !state
            .task
            .as_ref()
            .is_some_and(|known| known.will_wake(task.waker()))
        {
            state.task = Some(task.waker().clone());
        }
        state.closed.is_some()
    }

    /// Completes when the server closes the connection.
    pub(crate) async fn closed(&self) -> Closed {
        std::future::poll_fn(|task| {
            self.is_closed(task);
            self.lock().closed.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    pub(crate) fn close(&self, reason: Closed) {
        let mut state = self.lock();
        state.closed.get_or_insert(reason);
        let task = state.task.take();
        drop(state);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Reason for which the connection must be closed now.
    pub(crate) fn overdue(&self, limits: &Limits, now: Instant) -> Option<Closed> {
        let mut state = self.lock();
        if state.closed.is_some() {
            return None;
        }
        if state.written.is_too_slow(limits.stall_timeout, now) {
            return Some(Closed::SlowReader);
        }
        if state.requests > 0 {
            return None;
        }
        let waited = now.saturating_duration_since(state.since);
        let passed = |limit: Duration, reason| (waited >= limit).then_some(reason);
        match state.awaited {
            Awaited::Head => passed(limits.head_timeout, Closed::SlowHead),
            Awaited::Request => passed(limits.idle_timeout, Closed::Idle),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.requests = state.requests.saturating_sub(1);
        if state.requests == 0 {
            state.awaited = Awaited::Request;
            state.since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(30),
            ..Limits::default()
        }
    }

    /// Reason for which a connection is closed, and the seconds from the call until then.
    async fn closed_after(activity: &Activity, each_second: impl Fn(u64)) -> Option<(Closed, u64)> {
        for second in 1..1000 {
            tokio::time::advance(Duration::from_secs(1)).await;
            each_second(second);
            if let Some(reason) = activity.overdue(&limits(), Instant::now()) {
                return Some((reason, second));
            }
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn the_head_of_every_request_has_the_same_time() {
        let activity = Activity::new();
        let trickle = |_| activity.read(1);
        assert_eq!(
            closed_after(&activity, trickle).await,
            Some((Closed::SlowHead, 10))
        );
        for _ in 0..3 {
            drop(activity.request());
            // The first byte arrives after a second.
            assert_eq!(
                closed_after(&activity, trickle).await,
                Some((Closed::SlowHead, 11))
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_requests_is_closed_when_idle() {
        let activity = Activity::new();
        drop(activity.request());
        assert_eq!(closed_after(&activity, |_| ()).await, Some((Closed::Idle, 75)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_takes_as_long_as_its_server_needs() {
        let activity = Activity::new();
        let request = activity.request();
        let rest_of_its_body = activity.request();
        assert_eq!(closed_after(&activity, |_| activity.read(1)).await, None);
        drop(request);
        assert_eq!(closed_after(&activity, |_| activity.read(1)).await, None);
        drop(rest_of_its_body);
        assert_eq!(closed_after(&activity, |_| ()).await, Some((Closed::Idle, 75)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_closed_during_its_request() {
        let activity = Activity::new();
        let _request = activity.request();
        activity.wait_for_reader();
        assert_eq!(
            closed_after(&activity, |_| ()).await,
            Some((Closed::SlowReader, 30))
        );
    }
}
