use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use s3s::{S3Error, s3_error};
use tokio::time::{Instant, Sleep};

/// Maximum time for reading the unread rest of a body.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// The same for a request refused by its head, and for an upload that a newer one replaced: enough for a client that
/// reads the response while it sends.
pub(super) const SHORT_DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Time limits of a request's body. Only the time spent waiting for the client counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyPace {
    /// Maximum time without a byte, and the period over which the rate is measured.
    pub(super) idle_timeout: Duration,
    /// Minimum rate.
    pub(super) min_bytes_per_second: u64,
}

impl BodyPace {
    /// Time that the client may still let the server wait once more bytes have arrived: what they take at the minimum rate is
    /// added, up to one `idle_timeout`, so that a fast start earns no slow rest.
    fn credit(&self, remaining: Duration, bytes: usize) -> Duration {
        let micros = (bytes as u64).saturating_mul(1_000_000) / self.min_bytes_per_second.max(1);
        remaining
            .saturating_add(Duration::from_micros(micros))
            .min(self.idle_timeout)
    }
}

/// A request body could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// No byte arrived for the idle time-out.
    TimedOut,
    /// The body was slower than the minimum rate.
    TooSlow,
    /// The connection was closed, or the body was malformed.
    Incomplete,
}

impl From<BodyError> for S3Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TimedOut => s3_error!(
                RequestTimeout,
                "Your socket connection to the server was not read from or written to in time."
            ),
            BodyError::TooSlow => s3_error!(
                RequestTimeout,
                "The upload was slower than the minimum rate. Send it again on a faster connection."
            ),
            BodyError::Incomplete => s3_error!(
                IncompleteBody,
                "You did not provide the number of bytes specified by the Content-Length HTTP header"
            ),
        }
    }
}

/// Observes a request body that is owned by `s3s`.
#[derive(Clone, Default)]
pub(crate) struct BodyMonitor(Arc<Mutex<BodyState>>);

#[derive(Default)]
struct BodyState {
    error: Option<BodyError>,
    /// True if a read of the body had to wait; hyper then answers `Expect: 100-continue`.
    requested: bool,
    replaced: bool,
    unread: Option<Incoming>,
}

impl BodyMonitor {
    pub(crate) fn error(&self) -> Option<BodyError> {
        self.lock().error
    }

    /// Notes that a newer upload of the same key has replaced this one.
    pub(crate) fn set_replaced(&self) {
        self.lock().replaced = true;
    }

    /// Maximum time for reading the unread rest of the body.
    pub(super) fn drain_timeout(&self) -> Duration {
        if self.lock().replaced {
            SHORT_DRAIN_TIMEOUT
        } else {
            DRAIN_TIMEOUT
        }
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

/// A request body with time limits, whose unread rest is handed to its [`BodyMonitor`] when it is dropped.
pub(super) struct MonitoredBody {
    inner: Option<Incoming>,
    pace: BodyPace,
    /// Time that the client may still let the server wait.
    remaining: Duration,
    timer: Pin<Box<Sleep>>,
    waiting_since: Option<Instant>,
    monitor: BodyMonitor,
}

impl MonitoredBody {
    pub(super) fn new(inner: Incoming, pace: BodyPace, monitor: BodyMonitor) -> Self {
        Self {
            remaining: pace.idle_timeout,
            inner: Some(inner),
            pace,
            timer: Box::pin(tokio::time::sleep(pace.idle_timeout)),
            waiting_since: None,
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
                // The timer runs only while the body is awaited, so that a slow disk does not count against the client.
                if let Some(since) = this.waiting_since.take() {
                    this.remaining = this.remaining.saturating_sub(since.elapsed());
                }
                match &frame {
                    None => this.inner = None,
                    Some(Ok(frame)) => {
                        let bytes = frame.data_ref().map_or(0, Bytes::len);
                        this.remaining = this.pace.credit(this.remaining, bytes);
                    }
                    Some(Err(_)) => {}
                }
                Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)))
            }
            Poll::Pending => {
                if this.waiting_since.is_none() {
                    let now = Instant::now();
                    this.waiting_since = Some(now);
                    this.monitor.lock().requested = true;
                    this.timer.as_mut().reset(now + this.remaining);
                }
                if this.timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                this.fail(if this.remaining < this.pace.idle_timeout {
                    BodyError::TooSlow
                } else {
                    BodyError::TimedOut
                });
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
pub(super) async fn drain(
    mut body: Incoming,
    max_bytes: u64,
    idle_timeout: Duration,
    total_timeout: Duration,
) {
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
    let _ = tokio::time::timeout(total_timeout, reading).await;
}
