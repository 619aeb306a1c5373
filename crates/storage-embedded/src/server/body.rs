use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

/// How long a refused body is read at most, however steadily it comes.
const DISCARD_TIME: Duration = Duration::from_secs(30);

/// Why a body ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFailure {
    /// Nothing came for too long.
    Stalled,
    /// The connection ended or sent nonsense.
    Broken,
}

/// What became of a request's body, to be asked by those who have no hold of it.
#[derive(Clone, Default)]
pub(crate) struct BodyWatch(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    failure: Option<BodyFailure>,
    asked_for: bool,
    rest: Option<Incoming>,
}

impl BodyWatch {
    pub(crate) fn failure(&self) -> Option<BodyFailure> {
        self.lock().failure
    }

    /// What nobody read of the body; nothing if its client `waits` and was never told to send it.
    pub(super) fn take_rest(&self, waits: bool) -> Option<Incoming> {
        let mut watched = self.lock();
        let rest = watched.rest.take();
        rest.filter(|_| watched.asked_for || !waits)
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's body that fails when it stalls, and hands back what was not read of it.
pub(super) struct WatchedBody {
    inner: Option<Incoming>,
    idle_timeout: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    watch: BodyWatch,
}

impl WatchedBody {
    pub(super) fn new(inner: Incoming, idle_timeout: Duration, watch: BodyWatch) -> Self {
        let timer = Box::pin(tokio::time::sleep(idle_timeout));
        Self {
            inner: Some(inner),
            idle_timeout,
            timer,
            waiting: false,
            watch,
        }
    }

    fn fail(&mut self, failure: BodyFailure) {
        self.inner = None;
        self.watch.lock().failure = Some(failure);
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        let Some(inner) = this.inner.as_mut() else {
            return Poll::Ready(None);
        };
        match Pin::new(inner).poll_frame(cx) {
            Poll::Ready(Some(Err(error))) => {
                this.fail(BodyFailure::Broken);
                Poll::Ready(Some(Err(io::Error::other(error))))
            }
            Poll::Ready(frame) => {
                this.waiting = false;
                if frame.is_none() {
                    this.inner = None;
                }
                Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)))
            }
            Poll::Pending => {
                // The clock runs only while somebody waits: a slow disk is not the client's fault.
                if !this.waiting {
                    this.waiting = true;
                    this.watch.lock().asked_for = true;
                    let deadline = Instant::now() + this.idle_timeout;
                    this.timer.as_mut().reset(deadline);
                }
                if this.timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                this.fail(BodyFailure::Stalled);
                Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        if let Some(rest) = self.inner.take().filter(|rest| !rest.is_end_stream()) {
            self.watch.lock().rest = Some(rest);
        }
    }
}

/// Reads a body for its client's sake, within bounds.
pub(super) async fn discard(mut rest: Incoming, most_bytes: u64, idle_timeout: Duration) {
    let mut left = most_bytes;
    let reading = async {
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(idle_timeout, rest.frame()).await {
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // However it ends, dropping the rest closes the connection if there is more.
    let _ = tokio::time::timeout(DISCARD_TIME, reading).await;
}
