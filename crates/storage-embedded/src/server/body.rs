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

/// Maximum time for reading the unread rest of a body.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// A request body could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// No byte arrived for the idle time-out.
    TimedOut,
    /// The connection was closed, or the body was malformed.
    Incomplete,
}

/// Observes a request body that is owned by `s3s`.
#[derive(Clone, Default)]
pub(crate) struct BodyMonitor(Arc<Mutex<BodyState>>);

#[derive(Default)]
struct BodyState {
    error: Option<BodyError>,
    /// True if a read of the body had to wait; hyper then answers `Expect: 100-continue`.
    requested: bool,
    unread: Option<Incoming>,
}

impl BodyMonitor {
    pub(crate) fn error(&self) -> Option<BodyError> {
        self.lock().error
    }

    /// Takes the unread rest of the body. Returns `None` if the client sent `Expect: 100-continue` (`expects_continue`)
    /// and never received the interim response, because then it does not send the body.
    pub(super) fn take_unread(&self, expects_continue: bool) -> Option<Incoming> {
        let mut state = self.lock();
        let unread = state.unread.take();
        unread.filter(|_| state.requested || !expects_continue)
    }

    fn lock(&self) -> MutexGuard<'_, BodyState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request body with an idle time-out, whose unread rest is handed to its [`BodyMonitor`] when it is dropped.
pub(super) struct MonitoredBody {
    inner: Option<Incoming>,
    idle_timeout: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    monitor: BodyMonitor,
}

impl MonitoredBody {
    pub(super) fn new(inner: Incoming, idle_timeout: Duration, monitor: BodyMonitor) -> Self {
        let timer = Box::pin(tokio::time::sleep(idle_timeout));
        Self {
            inner: Some(inner),
            idle_timeout,
            timer,
            waiting: false,
            monitor,
        }
    }

    fn fail(&mut self, error: BodyError) {
        self.inner = None;
        self.monitor.lock().error = Some(error);
    }
}

impl Body for MonitoredBody {
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
                this.fail(BodyError::Incomplete);
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
                // The timer runs only while the body is awaited, so that a slow disk does not count against the client.
                if !this.waiting {
                    this.waiting = true;
                    this.monitor.lock().requested = true;
                    let deadline = Instant::now() + this.idle_timeout;
                    this.timer.as_mut().reset(deadline);
                }
                if this.timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                this.fail(BodyError::TimedOut);
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

impl Drop for MonitoredBody {
    fn drop(&mut self) {
        if let Some(unread) = self.inner.take().filter(|body| !body.is_end_stream()) {
            self.monitor.lock().unread = Some(unread);
        }
    }
}

/// Reads and discards a body, so that its client can read the response. Stops at `max_bytes` or a time-out.
pub(super) async fn drain(mut body: Incoming, max_bytes: u64, idle_timeout: Duration) {
    let mut remaining = max_bytes;
    let reading = async {
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(idle_timeout, body.frame()).await {
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            match remaining.checked_sub(length) {
                Some(bytes) => remaining = bytes,
                None => break,
            }
        }
    };
    // Dropping a body that is not read to its end closes the connection.
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, reading).await;
}
