use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::Request;
use http_body::{Frame, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use rapidphoto_listener::{Acceptor, RequestInProgress};
use s3s::Body;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::handler::Handler;

/// Maximum size of a request's head; a presigned URL with all its headers takes a few kilobytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Maximum size of a connection's buffer of received bytes.
const MAX_BUFFER_BYTES: usize = 128 * 1024;

/// Minimum time, after all connections are closed, for received uploads to be published.
const PUBLICATION_TIMEOUT: Duration = Duration::from_secs(5);

/// A socket that listens, and the acceptor that limits its connections.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// The acceptor.
    pub acceptor: Acceptor,
}

/// Serves the connections of all listeners until `shutdown` completes, then waits for open requests and `tasks`, at most
/// for `grace`.
pub(crate) async fn serve(
    handler: Arc<Handler>,
    grace: Duration,
    tasks: TaskTracker,
    listeners: Vec<Listener>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let server = Server {
        handler,
        graceful: GracefulShutdown::new(),
        connections: TaskTracker::new(),
        draining: CancellationToken::new(),
        cancellation: CancellationToken::new(),
    };
    let acceptors = listeners.into_iter().map(|Listener { socket, acceptor }| {
        let acceptor = Arc::new(acceptor);
        let checks = Arc::clone(&acceptor);
        let server = &server;
        (
            async move { server.accept(&socket, &acceptor).await },
            async move { checks.run().await },
        )
    });
    let (accepting, checking): (Vec<_>, Vec<_>) = acceptors.unzip();
    let mut checking = pin!(join_all(checking));
    tokio::select! {
        biased;
        () = shutdown => {}
        _ = join_all(accepting) => {}
        _ = &mut checking => {}
    }
    // The sockets are closed; time limits hold during the drain, too.
    tokio::select! {
        () = server.drain(grace, tasks) => {}
        _ = &mut checking => {}
    }
}

struct Server {
    handler: Arc<Handler>,
    graceful: GracefulShutdown,
    connections: TaskTracker,
    /// Cancelled when no further connections are accepted, which ends TLS handshakes.
    draining: CancellationToken,
    /// Cancelled when open connections are closed.
    cancellation: CancellationToken,
}

impl Server {
    /// Never returns.
    async fn accept(&self, socket: &TcpListener, acceptor: &Arc<Acceptor>) {
        loop {
            let (stream, peer) = acceptor.next(socket).await;
            let accepted = acceptor.accept(stream, peer);
            let handler = Arc::clone(&self.handler);
            let watcher = self.graceful.watcher();
            let (draining, cancellation) = (self.draining.clone(), self.cancellation.clone());
            self.connections.spawn(async move {
                // A refusal is counted by the acceptor.
                let Some(Ok(connection)) = draining.run_until_cancelled(accepted).await else {
                    return;
                };
                let activity = connection.activity();
                let service = service_fn(move |mut request: Request<_>| {
                    let in_progress = activity.request();
                    request.extensions_mut().insert(activity.clone());
                    let handling = Arc::clone(&handler).handle(request);
                    async move {
                        let response = handling.await;
                        response.map(|response| {
                            response.map(|inner| InProgressBody {
                                inner,
                                _in_progress: in_progress,
                            })
                        })
                    }
                });
                let connection = http1::Builder::new()
                    // The acceptor limits the time of every head.
                    .header_read_timeout(None)
                    .max_header_size(MAX_HEAD_BYTES)
                    .max_buf_size(MAX_BUFFER_BYTES)
                    .serve_connection(TokioIo::new(connection), service);
                let connection = watcher.watch(connection);
                if let Some(Err(error)) = cancellation.run_until_cancelled(connection).await {
                    tracing::debug!(%error, "a connection failed");
                }
            });
        }
    }

    async fn drain(self, grace: Duration, tasks: TaskTracker) {
        let deadline = Instant::now() + grace;
        self.draining.cancel();
        if timeout_at(deadline, self.graceful.shutdown()).await.is_err() {
            tracing::warn!(
                connections = self.connections.len(),
                "closing connections that are still open after the shutdown grace period"
            );
        }
        self.cancellation.cancel();
        self.connections.close();
        self.connections.wait().await;
        tasks.close();
        if timeout_at(deadline.max(Instant::now() + PUBLICATION_TIMEOUT), tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(tasks = tasks.len(), "stopping with unfinished uploads");
        }
    }
}

/// A response's body, during which its request is in progress.
struct InProgressBody {
    inner: Body,
    _in_progress: RequestInProgress,
}

impl http_body::Body for InProgressBody {
    type Data = Bytes;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
