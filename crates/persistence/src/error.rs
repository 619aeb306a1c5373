use rapidphoto_application::ports::{BoxError, LogError, Unavailable};
use rapidphoto_domain::StreamId;

/// Failure of a database call. Callers outside this crate receive [`Unavailable`] with this error as its source.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("a database statement failed")]
    Database(#[from] diesel::result::Error),
    #[error("the connection to the database can't be opened")]
    Connection(#[from] diesel::ConnectionError),
    #[cfg(feature = "sqlite")]
    #[error("the transaction shared with other writes failed")]
    Transaction(#[source] std::sync::Arc<diesel::result::Error>),
    #[cfg(feature = "sqlite")]
    #[error("the writer thread has stopped")]
    WriterStopped,
    #[cfg(feature = "sqlite")]
    #[error("the database is closed")]
    Closed,
    #[cfg(feature = "postgres")]
    #[error("a connection to the database can't be opened")]
    Pool(#[source] BoxError),
    #[cfg(feature = "postgres")]
    #[error(
        "no connection to the database has become free within 5 seconds; allow more connections or send less work"
    )]
    PoolExhausted,
    #[cfg(feature = "postgres")]
    #[error("the database server allows no writes; connect to the primary")]
    ReadOnly,
    #[error("the call was aborted")]
    Aborted(#[from] tokio::task::JoinError),
    #[error("the stored value of `{what}` is malformed")]
    MalformedValue {
        what: &'static str,
        #[source]
        source: BoxError,
    },
    #[error("`{0}` can't be encoded as JSON")]
    Unencodable(&'static str, #[source] serde_json::Error),
    #[error("{0} has events but no state row")]
    NoStateRow(StreamId),
    #[error("credentials are given for user {0}, who does not exist")]
    NoUser(String),
    #[error("the commit changes {0} twice; one change for each stream is allowed")]
    ChangedTwice(StreamId),
}

impl StoreError {
    /// Wraps the reason for which a stored value can't be decoded.
    pub(crate) fn malformed(what: &'static str) -> impl FnOnce(BoxError) -> Self {
        move |source| Self::MalformedValue { what, source }
    }
}

impl From<StoreError> for Unavailable {
    fn from(error: StoreError) -> Self {
        Self::database(error)
    }
}

impl From<StoreError> for LogError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}
