use std::path::PathBuf;

use clap::{Args, Subcommand};
use rapidphoto_runtime::{RemoteCommand, RemoteServer};

/// Server that is administered over its API. `RAPIDPHOTO_TOKEN` contains an access token with the scope `admin`: on the
/// command line it would be visible to other users.
#[derive(Args)]
pub(crate) struct Remote {
    /// Base URL of the server's API; the access token is read from the environment variable RAPIDPHOTO_TOKEN
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Certificates of authorities (PEM) to trust, if the server's certificate is of a private authority
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum DeadLetters {
    /// Print up to 200: id, time, bytes, reason, beginning of the message
    List {
        #[command(flatten)]
        server: Remote,
    },
    /// Move one back to the queue of notifications, or all
    Redrive {
        /// Id of the dead letter
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// Move all
        #[arg(long, conflicts_with = "id")]
        all: bool,
        #[command(flatten)]
        server: Remote,
    },
}

impl From<Remote> for RemoteServer {
    fn from(Remote { url, ca }: Remote) -> Self {
        Self { url, ca }
    }
}

impl DeadLetters {
    pub(crate) fn split(self) -> (RemoteServer, RemoteCommand) {
        match self {
            Self::List { server } => (server.into(), RemoteCommand::ListDeadLetters),
            Self::Redrive { id, server, .. } => (server.into(), RemoteCommand::RedriveDeadLetters { id }),
        }
    }
}
