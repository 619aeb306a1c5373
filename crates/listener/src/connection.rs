use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use crate::{activity::Activity, registry::Slot};

/// An accepted connection. Reads and writes fail once the acceptor closes it.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    peer: SocketAddr,
    activity: Activity,
    _slot: Slot,
}

#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

impl Stream {
    fn duplex(&mut self) -> Pin<&mut dyn Duplex> {
        match self {
            Self::Plain(stream) => Pin::new(stream),
            Self::Tls(stream) => Pin::new(stream.as_mut()),
        }
    }
}

impl Connection {
    pub(crate) fn new(stream: Stream, peer: SocketAddr, activity: Activity, slot: Slot) -> Self {
        Self {
            stream,
            peer,
            activity,
            _slot: slot,
        }
    }

    /// Address of the client, or of the proxy in front of the server.
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Use of the connection, for its server.
    pub fn activity(&self) -> Activity {
        self.activity.clone()
    }

    fn check_open(&self, cx: &Context<'_>) -> io::Result<()> {
        if self.activity.is_closed(cx) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    /// Records the result of a write, or that the client must read before more can be written.
    fn record<T>(&self, result: Poll<io::Result<T>>, bytes: impl Fn(&T) -> usize) -> Poll<io::Result<T>> {
        match &result {
            Poll::Ready(Ok(written)) => self.activity.written(bytes(written)),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.activity.wait_for_reader(),
        }
        result
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_open(cx)?;
        let before = buf.filled().len();
        let result = self.stream.duplex().poll_read(cx, buf);
        self.activity.read(buf.filled().len() - before);
        result
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check_open(cx)?;
        let result = self.stream.duplex().poll_write(cx, buf);
        self.record(result, |written| *written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_open(cx)?;
        let result = self.stream.duplex().poll_write_vectored(cx, bufs);
        self.record(result, |written| *written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_open(cx)?;
        let result = self.stream.duplex().poll_flush(cx);
        self.record(result, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_open(cx)?;
        let result = self.stream.duplex().poll_shutdown(cx);
        self.record(result, |()| 0)
    }
}
