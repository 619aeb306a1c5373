use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::handler::Handler;
use super::write_timeout::WriteTimeout;

/// Maximum size of a request's head; a presigned URL with all its headers takes a few kilobytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Minimum time, after all connections are closed, for received uploads to be published.
const PUBLICATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Delay after an accept error, which is mostly a lack of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Time-outs of each connection and the maximum number of connections.
pub(crate) struct Limits {
    pub(crate) header_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) shutdown_grace: Duration,
    pub(crate) max_connections: usize,
}

/// Accepts connections until `shutdown` completes, then waits for open requests and `tasks`.
pub(crate) async fn serve(
    handler: Arc<Handler>,
    limits: Limits,
    tasks: TaskTracker,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) {
    let graceful = GracefulShutdown::new();
    let connections = TaskTracker::new();
    let cancellation = CancellationToken::new();
    let permits = Arc::new(Semaphore::new(limits.max_connections));
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            // Fails only if the semaphore is closed, which never happens.
            let permit = Arc::clone(&permits).acquire_owned().await.ok();
            (accept(&listener).await, permit)
        };
        let (stream, permit) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = next => accepted,
        };
        let handler = Arc::clone(&handler);
        let service = service_fn(move |request| Arc::clone(&handler).handle(request));
        let io = TokioIo::new(WriteTimeout::new(stream, limits.idle_timeout));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_header_size(MAX_HEAD_BYTES)
            .serve_connection(io, service);
        let connection = graceful.watch(connection);
        let cancellation = cancellation.clone();
        connections.spawn(async move {
            let _permit = permit;
            if let Some(Err(error)) = cancellation.run_until_cancelled(connection).await {
                tracing::debug!(%error, "a connection failed");
            }
        });
    }

    drop(listener);
    let deadline = Instant::now() + limits.shutdown_grace;
    if timeout_at(deadline, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "closing connections that are still open after the shutdown grace period"
        );
    }
    cancellation.cancel();
    connections.close();
    connections.wait().await;
    tasks.close();
    if timeout_at(deadline.max(Instant::now() + PUBLICATION_TIMEOUT), tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(tasks = tasks.len(), "stopping with unfinished uploads");
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "can't set TCP_NODELAY on a connection");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}
