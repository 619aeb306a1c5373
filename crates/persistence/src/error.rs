use std::sync::Arc;

use rapidphoto_application::ports::{BoxError, LogError, Unavailable};
use rapidphoto_domain::StreamId;

/// Why the record did not answer. Callers outside see [`Unavailable`], with this as its source.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("the database refused")]
    Database(#[from] diesel::result::Error),
    #[error("no connection to the database")]
    Connection(#[from] diesel::ConnectionError),
    #[error("the transaction that this was written in failed")]
    Transaction(#[source] Arc<diesel::result::Error>),
    #[error("the writer has stopped")]
    WriterGone,
    #[error("the store is closed")]
    Closed,
    #[error("the read ended early")]
    ReadEnded(#[from] tokio::task::JoinError),
    #[error("`{what}` is stored in a form that can't be read")]
    Unreadable {
        what: &'static str,
        #[source]
        source: BoxError,
    },
    #[error("`{0}` can't be stored")]
    Unstorable(&'static str, #[source] serde_json::Error),
    #[error("{0} has events, but no row for its state")]
    NoStateRow(StreamId),
    #[error("there is no user {0} whose credentials could be stored")]
    NoUser(String),
    #[error("a commit changes {0} twice, or without an event")]
    Malformed(StreamId),
}

impl RecordError {
    /// What is stored can't be read.
    pub(crate) fn unreadable(what: &'static str) -> impl FnOnce(BoxError) -> Self {
        move |source| Self::Unreadable { what, source }
    }
}

impl From<RecordError> for Unavailable {
    fn from(error: RecordError) -> Self {
        Self::database(error)
    }
}

impl From<RecordError> for LogError {
    fn from(error: RecordError) -> Self {
        Self::Unavailable(error.into())
    }
}
