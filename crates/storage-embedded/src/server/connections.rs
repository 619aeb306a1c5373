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

use super::front::Front;
use super::stall::StallGuard;

/// The largest head of a request; a presigned URL with all its headers is a few kilobytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// How long uploads that were cut from their clients may still take to become objects.
const FINISHING: Duration = Duration::from_secs(5);

/// How long to wait when a connection can't be accepted, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The time-outs and bounds of all connections.
pub(crate) struct Limits {
    pub(crate) header_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) shutdown_grace: Duration,
    pub(crate) max_connections: usize,
}

/// Accepts connections until `shutdown` is ready, then waits for what they and `tasks` still do.
pub(crate) async fn serve(
    front: Arc<Front>,
    limits: Limits,
    tasks: TaskTracker,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) {
    let graceful = GracefulShutdown::new();
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    let slots = Arc::new(Semaphore::new(limits.max_connections));
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            // Closing the semaphore is the only way for this to fail, and nobody does.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (accept(&listener).await, slot)
        };
        let (stream, slot) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = next => accepted,
        };
        let front = Arc::clone(&front);
        let answer = service_fn(move |request| Arc::clone(&front).answer(request));
        let io = TokioIo::new(StallGuard::new(stream, limits.idle_timeout));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_header_size(MAX_HEAD_BYTES)
            .serve_connection(io, answer);
        let connection = graceful.watch(connection);
        let cut = cut.clone();
        connections.spawn(async move {
            let _slot = slot;
            if let Some(Err(error)) = cut.run_until_cancelled(connection).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }

    drop(listener);
    let end = Instant::now() + limits.shutdown_grace;
    if timeout_at(end, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "cut the connections that didn't come to an end"
        );
    }
    cut.cancel();
    connections.close();
    connections.wait().await;
    tasks.close();
    if timeout_at(end.max(Instant::now() + FINISHING), tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(tasks = tasks.len(), "left uploads unfinished");
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection's packets will be delayed");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
