use std::{future::Future, io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{App as ActixApp, HttpServer, dev::ServerHandle, middleware::from_fn, web};
use tokio::sync::{oneshot, watch};

use crate::{
    app::App, cursors::CursorCipher, limits::Limits, middleware::process, openapi::OpenApiJson, routes,
    shared::Shared, stream::StreamSlots,
};

/// Time a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Time an idle connection is kept open: longer than the usual interval between two polls.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Interval at which the rate limits drop users with an unused quota.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_mins(1);

/// Serves the API on `listener` until `shutdown` resolves, then waits for requests in progress, at most for the
/// configured drain time.
///
/// The server has threads of its own, so that this can be awaited on any runtime. Dropping the future stops the server
/// at once.
///
/// # Errors
/// If the listener can't be used or the server fails.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let (close, closing) = watch::channel(false);
    let shared = Arc::new(Shared {
        limits: Limits::new(&app.config),
        streams: StreamSlots::new(app.config.streams.get()),
        cursors: CursorCipher::new(app.cursor_key),
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
            let result = system.block_on(run(listener, on_thread, started));
            // The receiver no longer exists if `serve` was dropped.
            let _ = ended.send(result);
        })?;
    let Ok(handle) = starting.await else {
        return server_result(ending.await);
    };
    let stop_at_once = StopOnDrop(handle.clone());
    tokio::select! {
        result = &mut ending => return server_result(result),
        () = shutdown => {}
        () = run_housekeeping(&shared) => {}
    }
    close.send_replace(true);
    handle.stop(true).await;
    drop(stop_at_once);
    server_result(ending.await)
}

async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    started: oneshot::Sender<ServerHandle>,
) -> io::Result<()> {
    let config = shared.app.config.clone();
    let shared = web::Data::from(shared);
    let openapi = web::Data::new(OpenApiJson::new()?);
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(shared.clone())
            .app_data(openapi.clone())
            .wrap(from_fn(process))
            .configure(routes::configure)
    })
    .workers(config.workers.max(1))
    .disable_signals()
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(config.drain.as_secs().max(1))
    .listen(listener)?
    .run();
    // The receiver no longer exists if `serve` was dropped.
    if let Err(handle) = started.send(server.handle()) {
        drop(handle.stop(false));
    }
    server.await
}

/// Bounds the memory of the rate limits. Never returns.
async fn run_housekeeping(shared: &Shared) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING_INTERVAL);
    loop {
        ticks.tick().await;
        shared.limits.remove_idle_users();
    }
}

fn server_result(received: Result<io::Result<()>, oneshot::error::RecvError>) -> io::Result<()> {
    received.unwrap_or_else(|_| {
        Err(io::Error::other(
            "the HTTP server's thread ended without a result",
        ))
    })
}

struct StopOnDrop(ServerHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        // The command is sent at once; the future would only wait for its completion.
        drop(self.0.stop(false));
    }
}
