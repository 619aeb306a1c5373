//! Administration of a running server over its API.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context;
use rapidphoto_client::{
    Client, Session,
    types::{DeadLetter, Subscription},
};

/// Server to administer.
#[derive(Debug, Clone)]
pub struct RemoteServer {
    /// Base URL of its API.
    pub url: String,
    /// PEM file of further certificate authorities to trust.
    pub ca: Option<PathBuf>,
}

/// Command on a running server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteCommand {
    /// Print the dead letters.
    ListDeadLetters,
    /// Move a dead letter back to its queue, or all without an id.
    RedriveDeadLetters {
        /// Id of the dead letter.
        id: Option<String>,
    },
    /// Print the subscriptions.
    ListSubscriptions,
}

/// Environment variable with an access token.
const TOKEN: &str = "RAPIDPHOTO_TOKEN";

/// Most dead letters that are printed, the limit of the API.
const MAX_LISTED: u32 = 200;

/// Runs a command on a server and prints the result. The environment variable `RAPIDPHOTO_TOKEN` contains an access token
/// with the scope `admin`.
#[expect(
    clippy::disallowed_methods,
    reason = "no configuration: this program is a client"
)]
pub async fn administer_remotely(server: RemoteServer, command: RemoteCommand) -> anyhow::Result<()> {
    let token = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
    let token = token.with_context(|| {
        format!(
            "{TOKEN} is not set; set it to an access token with the scope `admin` (POST /commands/auth/login)"
        )
    })?;
    let ca = match &server.ca {
        Some(file) => {
            std::fs::read(file).with_context(|| format!("{} (--ca) can't be read", file.display()))?
        }
        None => Vec::new(),
    };
    let session = Client::with_ca(&server.url, &ca)?.with_access_token(token);
    let lines = run(&session, command).await?;
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

async fn run(session: &Session, command: RemoteCommand) -> anyhow::Result<Vec<String>> {
    Ok(match command {
        RemoteCommand::ListDeadLetters => {
            let letters = session.dead_letters(MAX_LISTED).await?;
            letters.items.iter().map(dead_letter).collect()
        }
        RemoteCommand::RedriveDeadLetters { id } => {
            let moved = match id {
                Some(id) => session.redrive_dead_letter(&id).await?,
                None => session.redrive_dead_letters().await?,
            };
            vec![format!("{} moved", moved.redriven)]
        }
        RemoteCommand::ListSubscriptions => {
            let subscriptions = session.subscriptions().await?;
            subscriptions.items.iter().map(subscription).collect()
        }
    })
}

/// One line: id, time, bytes, reason, beginning of the body.
fn dead_letter(letter: &DeadLetter) -> String {
    let time = letter
        .first_at
        .map_or_else(|| "-".to_owned(), |at| at.to_rfc3339());
    let preview: String = letter.preview.chars().take(200).collect();
    format!(
        "{}\t{time}\t{}\t{}\t{}",
        letter.id,
        letter.bytes,
        letter.reason.escape_debug(),
        preview.escape_debug()
    )
}

/// One line: name, position, end of the lease, lag, time of the first event behind, reason if it is parked, process that runs
/// it.
fn subscription(subscription: &Subscription) -> String {
    let time = |time: Option<chrono::DateTime<chrono::Utc>>| {
        time.map_or_else(|| "-".to_owned(), |time| time.to_rfc3339())
    };
    let lag = subscription
        .lag
        .map_or_else(|| "-".to_owned(), |lag| lag.to_string());
    format!(
        "{}\t{}\t{}\t{lag}\t{}\t{}\t{}",
        subscription.name,
        subscription.position,
        time(subscription.leased_until),
        time(subscription.behind_since),
        subscription.parked.as_deref().unwrap_or("-").escape_debug(),
        subscription.owner.as_deref().unwrap_or("-").escape_debug()
    )
}
