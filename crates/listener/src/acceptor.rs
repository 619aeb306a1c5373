use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metrics::{counter, gauge};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

use crate::{
    activity::{Activity, Closed},
    address::Network,
    connection::{Connection, Stream},
    limits::Limits,
    registry::{Exceeded, Registry},
    tls::Tls,
};

/// Interval at which all connections are checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Minimum interval between log lines about refused connections.
const LOG_INTERVAL: Duration = Duration::from_mins(1);
/// Maximum number of bytes that the kernel accepts before it can send them, for each connection. What a client does not
/// read therefore takes little memory, and a slow client's progress is seen in steps of half of it.
const MAX_UNSENT_BYTES: u32 = 64 * 1024;
/// Delay after an accept error, which is mostly a lack of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// A connection was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The client's address has the maximum number of connections.
    #[error("the address has the maximum number of connections")]
    TooManyOfAddress,
    /// The server has the maximum number of connections.
    #[error("the server has the maximum number of connections")]
    TooMany,
    /// The TLS handshake failed.
    #[error("the TLS handshake failed")]
    Handshake(#[source] std::io::Error),
    /// The TLS handshake took too long.
    #[error("the TLS handshake was not completed in time")]
    HandshakeTimeout,
    /// Another client took the slot during the TLS handshake.
    #[error("another client needs the slot")]
    Displaced,
}

impl Refused {
    const fn label(&self) -> &'static str {
        match self {
            Self::TooManyOfAddress => "per_address",
            Self::TooMany => "overall",
            Self::Handshake(_) => "tls_handshake",
            Self::HandshakeTimeout => "tls_timeout",
            Self::Displaced => Closed::Displaced.label(),
        }
    }
}

/// Accepts the connections of one listener.
#[derive(Debug)]
pub struct Acceptor {
    name: &'static str,
    limits: Limits,
    tls: Option<Arc<Tls>>,
    registry: Arc<Registry>,
    /// Connections refused because of a limit.
    refused: AtomicU64,
}

impl Acceptor {
    /// Creates an acceptor. `name` is the listener's name in metrics and log lines. Without `tls`, connections are
    /// plain text.
    pub fn new(name: &'static str, limits: Limits, tls: Option<Arc<Tls>>) -> Self {
        for reason in ["per_address", "overall", "tls_handshake", "tls_timeout"] {
            counter!("connections_refused_total", "listener" => name, "reason" => reason).increment(0);
        }
        for reason in Closed::ALL.map(Closed::label) {
            counter!("connections_closed_total", "listener" => name, "reason" => reason).increment(0);
        }
        Self {
            name,
            limits,
            tls,
            registry: Arc::default(),
            refused: AtomicU64::new(0),
        }
    }

    /// Accepts the next TCP connection of a listener, which is then passed to [`Acceptor::accept`]. Waits after an error.
    pub async fn next(&self, listener: &TcpListener) -> (TcpStream, SocketAddr) {
        loop {
            match listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => {
                    tracing::warn!(%error, listener = self.name, "can't accept a connection");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }

    /// Takes a slot for a TCP connection and completes its TLS handshake. A refused connection is closed.
    ///
    /// The slot is taken before the first wait.
    ///
    /// # Errors
    /// [`Refused`], which is counted and logged here.
    pub fn accept(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> impl Future<Output = Result<Connection, Refused>> + use<> {
        let activity = Activity::new();
        let slot = self.registry.enter(
            Network::of(peer.ip()),
            (self.limits.is_proxy)(peer.ip().to_canonical()),
            self.limits.max_connections,
            self.limits.max_connections_per_address,
            &activity,
        );
        let slot = slot.map(|(slot, displaced)| {
            if let Some(displaced) = displaced {
                self.close(&displaced, Closed::Displaced);
            }
            slot
        });
        let acceptor = Arc::clone(self);
        async move {
            let accepted = match slot {
                Ok(slot) => acceptor
                    .secure(stream, &activity)
                    .await
                    .map(|stream| Connection::new(stream, peer, activity, slot)),
                Err(Exceeded::PerAddress) => Err(Refused::TooManyOfAddress),
                Err(Exceeded::Overall) => Err(Refused::TooMany),
            };
            accepted.inspect_err(|refused| acceptor.record(refused))
        }
    }

    async fn secure(&self, stream: TcpStream, activity: &Activity) -> Result<Stream, Refused> {
        let socket = SockRef::from(&stream);
        let configured = socket
            .set_tcp_nodelay(true)
            .and_then(|()| socket.set_tcp_notsent_lowat(MAX_UNSENT_BYTES));
        if let Err(error) = configured {
            tracing::debug!(%error, "can't set the options of a connection");
        }
        let Some(tls) = &self.tls else {
            return Ok(Stream::Plain(stream));
        };
        let handshake = timeout(self.limits.head_timeout, tls.accept(stream));
        let handshake = tokio::select! {
            handshake = handshake => handshake,
            reason = activity.closed() => return Err(match reason {
                Closed::Displaced => Refused::Displaced,
                Closed::SlowHead | Closed::Idle | Closed::SlowReader => Refused::HandshakeTimeout,
            }),
        };
        match handshake {
            Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
            Ok(Err(error)) => Err(Refused::Handshake(error)),
            Err(_) => Err(Refused::HandshakeTimeout),
        }
    }

    fn record(&self, refused: &Refused) {
        tracing::debug!(error = %refused, listener = self.name, "refused a connection");
        if matches!(refused, Refused::Displaced) {
            // Counted as a closed connection.
            return;
        }
        counter!("connections_refused_total", "listener" => self.name, "reason" => refused.label())
            .increment(1);
        if matches!(refused, Refused::TooMany | Refused::TooManyOfAddress) {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Closes connections whose client exceeds a time limit. Never returns.
    pub async fn run(&self) {
        let mut ticks = tokio::time::interval(CHECK_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut logged, mut logged_at) = (0, None::<Instant>);
        loop {
            let now = ticks.tick().await;
            self.close_overdue(now);
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            gauge!("connections_open", "listener" => self.name).set(self.registry.len() as f64);
            let refused = self.refused.load(Ordering::Relaxed);
            if refused > logged && logged_at.is_none_or(|at| now - at >= LOG_INTERVAL) {
                tracing::warn!(
                    listener = self.name,
                    refused = refused - logged,
                    open = self.registry.len(),
                    max_connections = self.limits.max_connections,
                    max_connections_per_address = self.limits.max_connections_per_address,
                    "refused connections beyond the maximum"
                );
                (logged, logged_at) = (refused, Some(now));
            }
        }
    }

    fn close_overdue(&self, now: Instant) {
        let mut overdue = Vec::new();
        self.registry.for_each(|activity| {
            if let Some(reason) = activity.overdue(&self.limits, now) {
                overdue.push((activity.clone(), reason));
            }
        });
        // Without the lock, which a woken connection may need.
        for (activity, reason) in overdue {
            self.close(&activity, reason);
        }
    }

    fn close(&self, activity: &Activity, reason: Closed) {
        counter!("connections_closed_total", "listener" => self.name, "reason" => reason.label())
            .increment(1);
        activity.close(reason);
    }
}
