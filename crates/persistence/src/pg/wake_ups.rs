//! Wake-ups between processes: each tells the others of its commits by NOTIFY and listens for theirs.
//!
//! Notifications are sent on a connection of their own: inside a commit's transaction they would serialise all commits of the
//! server. They carry no data and may be lost; whoever is woken reads the database, and whoever is not polls it.

use std::{convert::Infallible, pin::pin, time::Duration};

use futures::{Stream, StreamExt as _, stream};
use rapidphoto_application::signals::Signals;
use tokio::sync::watch;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Socket, tls::TlsStream};

use super::{PgStore, commits::Counts, config::Connector};

/// Channel of commits to the log. The payload of both channels is a namespace.
const LOG: &str = "rapidphoto_log";
/// Channel of commits with work that is due soon.
const WORK: &str = "rapidphoto_work";

/// At most one notification in this time, however many commits there are.
const INTERVAL: Duration = Duration::from_millis(5);

/// Wait before a lost connection is opened again.
const RECONNECT: Duration = Duration::from_secs(1);

/// Wake-ups of one process.
pub struct WakeUps {
    connector: Connector,
    namespace: String,
    commits: watch::Receiver<Counts>,
    signals: Signals,
}

impl PgStore {
    /// Wake-ups: commits of other processes to the same namespace are announced by `signals`, and those of this store to
    /// the other processes, while [`WakeUps::run`] runs.
    pub fn wake_ups(&self, signals: Signals) -> WakeUps {
        WakeUps {
            connector: self.connector.clone(),
            namespace: self.namespace.to_string(),
            commits: self.commits.subscribe(),
            signals,
        }
    }
}

impl WakeUps {
    /// Sends and receives notifications until the future is dropped. A lost connection is opened again; what was committed
    /// meanwhile is announced then.
    pub async fn run(mut self) -> Infallible {
        loop {
            match self.connected().await {
                Ok(()) => tracing::warn!(
                    "the connection for wake-ups was closed; the log is polled until it is open again"
                ),
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the connection for wake-ups failed; the log is polled until it is open again"
                ),
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn connected(&mut self) -> Result<(), tokio_postgres::Error> {
        if let Some(tls) = self.connector.tls.clone() {
            let (client, connection) = self.connector.config.connect(tls).await?;
            self.exchange(&client, connection).await
        } else {
            let (client, connection) = self.connector.config.connect(NoTls).await?;
            self.exchange(&client, connection).await
        }
    }

    /// Sends and receives until the connection ends.
    async fn exchange<T: TlsStream + Unpin>(
        &mut self,
        client: &Client,
        mut connection: Connection<Socket, T>,
    ) -> Result<(), tokio_postgres::Error> {
        let mut messages = pin!(stream::poll_fn(move |context| connection.poll_message(context)));
        let (namespace, signals) = (self.namespace.as_str(), &self.signals);
        let sending = send(client, namespace, &mut self.commits, signals);
        // The client's requests advance only while the messages are read.
        tokio::select! {
            sent = sending => sent.map(|never| match never {}),
            received = receive(&mut messages, namespace, signals) => received,
        }
    }
}

/// Listens, then sends notifications of this process's commits.
async fn send(
    client: &Client,
    namespace: &str,
    commits: &mut watch::Receiver<Counts>,
    signals: &Signals,
) -> Result<Infallible, tokio_postgres::Error> {
    client
        .batch_execute(&format!("LISTEN {LOG}; LISTEN {WORK}"))
        .await?;
    // Notifications before are lost.
    signals.log_committed();
    signals.work_committed();
    let notify = client
        .prepare("SELECT pg_notify(channel, $2) FROM unnest($1::text[]) AS channel")
        .await?;
    let mut sent = *commits.borrow_and_update();
    loop {
        if commits.changed().await.is_err() {
            // The store is gone; there is nothing left to send.
            std::future::pending::<()>().await;
        }
        let counts = *commits.borrow_and_update();
        let mut channels = vec![LOG];
        if counts.work != sent.work {
            channels.push(WORK);
        }
        client.execute(&notify, &[&channels, &namespace]).await?;
        sent = counts;
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Passes on notifications until the connection ends. Those of this process are among them: they wake once more than
/// needed, after its own signal.
async fn receive(
    messages: &mut (impl Stream<Item = Result<AsyncMessage, tokio_postgres::Error>> + Unpin),
    namespace: &str,
    signals: &Signals,
) -> Result<(), tokio_postgres::Error> {
    while let Some(message) = messages.next().await {
        let AsyncMessage::Notification(notification) = message? else {
            continue;
        };
        match notification.channel() {
            _ if notification.payload() != namespace => {}
            LOG => signals.log_committed(),
            WORK => signals.work_committed(),
            _ => {}
        }
    }
    Ok(())
}
