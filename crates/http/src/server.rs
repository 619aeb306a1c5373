use std::{future::Future, io, net::TcpListener, sync::Arc, time::Duration};

use actix_http::{HttpService, KeepAlive, Protocol, Request};
use actix_server::{Server, ServerHandle};
use actix_service::{IntoServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::{App as ActixApp, Error, dev::AppConfig, middleware::from_fn, web};
use rapidphoto_listener::{Acceptor, Connection};
use tokio::{
    net::TcpStream,
    sync::{oneshot, watch},
};

use crate::{
    app::App, cursors::CursorCipher, limits::Limits, middleware::process, openapi::Documentation, routes,
    shared::Shared, stream::StreamSlots,
};

/// Time for a client to close its connection after a response that ends it.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Interval at which the rate limits drop users with an unused quota.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_mins(1);

/// Serves the API on the connections of `listener` that `acceptor` accepts until `shutdown` resolves, then waits for
/// requests in progress, at most for the configured drain time.
///
/// The server has threads of its own, so that this can be awaited on any runtime. Dropping the future stops the server
/// at once.
///
/// # Errors
/// If the listener can't be used or the server fails.
pub async fn serve(
    listener: TcpListener,
    acceptor: Acceptor,
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
    let acceptor = Arc::new(acceptor);
    let (started, starting) = oneshot::channel();
    let (ended, mut ending) = oneshot::channel();
    let on_thread = (Arc::clone(&acceptor), Arc::clone(&shared));
    std::thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || {
            let system = actix_web::rt::System::new();
            let (acceptor, shared) = on_thread;
            let result = system.block_on(run(listener, acceptor, shared, started));
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
        () = run_housekeeping(&shared, &acceptor) => {}
    }
    close.send_replace(true);
    // Time limits hold during the drain, too.
    tokio::select! {
        () = handle.stop(true) => {}
        () = acceptor.run() => {}
    }
    drop(stop_at_once);
    server_result(ending.await)
}

async fn run(
    listener: TcpListener,
    acceptor: Arc<Acceptor>,
    shared: Arc<Shared>,
    started: oneshot::Sender<ServerHandle>,
) -> io::Result<()> {
    let config = shared.app.config.clone();
    let shared = web::Data::from(shared);
    let documentation = web::Data::new(Documentation::new()?);
    let builder = Server::build()
        .workers(config.workers.max(1))
        .disable_signals()
        .shutdown_timeout(config.drain.as_secs().max(1));
    let draining = builder.graceful_shutdown_signal();
    let server = builder
        .listen("api", listener, move || {
            let acceptor = Arc::clone(&acceptor);
            let draining = draining.clone();
            let app = ActixApp::new()
                .app_data(shared.clone())
                .app_data(documentation.clone())
                .wrap(from_fn(process))
                .configure(routes::configure(config.surface));
            let app = IntoServiceFactory::<_, Request>::into_factory(app)
                .map_err(|error: Error| error.error_response());
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let draining = draining.clone();
                    async move { draining.notified().await }
                })
                // The acceptor limits the time of heads and between requests, on every request.
                .keep_alive(KeepAlive::Os)
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(DISCONNECT_TIMEOUT)
                // Otherwise a stream would hold its place until a write to a closed connection fails.
                .h1_allow_half_closed(false)
                .on_connect_ext(|connection: &Connection, data| {
                    data.insert(connection.activity());
                })
                .finish(map_config(app, |()| AppConfig::default()));
            fn_service(move |stream: TcpStream| {
                let acceptor = Arc::clone(&acceptor);
                async move {
                    // Errors end only this connection, and are counted by the acceptor.
                    let peer = stream.peer_addr().map_err(drop)?;
                    let connection = acceptor.accept(stream, peer).await.map_err(drop)?;
                    Ok((connection, Protocol::Http1, Some(peer)))
                }
            })
            .and_then(http.map_err(drop))
        })?
        .run();
    // The receiver no longer exists if `serve` was dropped.
    if let Err(handle) = started.send(server.handle()) {
        drop(handle.stop(false));
    }
    server.await
}

/// Bounds the connections and the memory of the rate limits. Never returns.
async fn run_housekeeping(shared: &Shared, acceptor: &Acceptor) {
    let limits = async {
        let mut ticks = tokio::time::interval(HOUSEKEEPING_INTERVAL);
        loop {
            ticks.tick().await;
            shared.limits.remove_idle_users();
        }
    };
    tokio::join!(limits, acceptor.run());
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
