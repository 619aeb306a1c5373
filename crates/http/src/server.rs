use std::{future::Future, io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{App as ActixApp, HttpServer, dev::ServerHandle, middleware::from_fn, web};
use tokio::sync::{oneshot, watch};

use crate::{App, edge::edge, limits::Limits, openapi::Rendered, routes};

/// What all workers share.
pub(crate) struct Shared {
    pub(crate) app: App,
    pub(crate) limits: Limits,
    /// Turns true when the server is told to stop: streams end then.
    pub(crate) closing: watch::Receiver<bool>,
}

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: longer than the usual pause between two polls.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How often users who are silent are forgotten by the rate limits.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// Serves the API on `listener` until `shutdown` resolves, then lets requests under way come to their end.
///
/// The server has threads of its own, so that this can be awaited on any runtime. When the future is dropped, the
/// server stops at once.
///
/// # Errors
/// When the listener can't be used, or the server breaks.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let (close, closing) = watch::channel(false);
    let shared = Arc::new(Shared {
        limits: Limits::new(&app.config),
        closing,
        app,
    });
    let (started, starting) = oneshot::channel();
    let (ended, mut ending) = oneshot::channel();
    let on_thread = Arc::clone(&shared);
    std::thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || {
            let system = actix_web::rt::System::new();
            let outcome = system.block_on(run(listener, on_thread, started));
            // Nobody listens any more when `serve` was dropped.
            let _ = ended.send(outcome);
        })?;
    let Ok(handle) = starting.await else {
        return gone(ending.await);
    };
    let stop_at_once = StopOnDrop(handle.clone());
    tokio::select! {
        outcome = &mut ending => return gone(outcome),
        () = shutdown => {}
        () = keep_house(&shared) => {}
    }
    close.send_replace(true);
    handle.stop(true).await;
    drop(stop_at_once);
    gone(ending.await)
}

async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    started: oneshot::Sender<ServerHandle>,
) -> io::Result<()> {
    let config = shared.app.config.clone();
    let shared = web::Data::from(shared);
    let description = web::Data::new(Rendered::new()?);
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(shared.clone())
            .app_data(description.clone())
            .wrap(from_fn(edge))
            .configure(routes::configure)
    })
    .workers(config.workers.max(1))
    .disable_signals()
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(config.drain.as_secs().max(1))
    .listen(listener)?
    .run();
    // Nobody waits any more when `serve` was dropped.
    if let Err(handle) = started.send(server.handle()) {
        drop(handle.stop(false));
    }
    server.await
}

/// Never ends.
async fn keep_house(shared: &Shared) {
    let mut ticks = tokio::time::interval(FORGET_EVERY);
    loop {
        ticks.tick().await;
        shared.limits.forget_silent();
    }
}

fn gone(outcome: Result<io::Result<()>, oneshot::error::RecvError>) -> io::Result<()> {
    outcome.unwrap_or_else(|_| Err(io::Error::other("the HTTP server's thread is gone")))
}

struct StopOnDrop(ServerHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        // The command is sent at once; the future only waits for its end.
        drop(self.0.stop(false));
    }
}
