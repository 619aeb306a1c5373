use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    Error,
    body::{BodySize, BoxBody, MessageBody},
};
use bytes::Bytes;
use rapidphoto_listener::RequestInProgress;

/// Maximum number of bytes that are given to the connection at once, which copies them into its buffer.
const PIECE_BYTES: usize = 16 * 1024;

/// A response's body in small pieces, so that a client that does not read takes no copy of a large one.
pub(super) struct ResponseBody {
    inner: BoxBody,
    rest: Bytes,
    _in_progress: Option<RequestInProgress>,
}

impl ResponseBody {
    pub(super) const fn new(inner: BoxBody, in_progress: Option<RequestInProgress>) -> Self {
        Self {
            inner,
            rest: Bytes::new(),
            _in_progress: in_progress,
        }
    }
}

impl MessageBody for ResponseBody {
    type Error = Error;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.inner).poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => self.rest = bytes,
                other => return other.map_err(Into::into),
            }
        }
        let length = self.rest.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}
