/// An error of an adapter or of its library, kept as the source of a port's error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A service behind a port can't be reached, or has sent an invalid response. A write that ends with
/// this error may or may not have been done.
#[derive(Debug, thiserror::Error)]
#[error("{what} can't be reached")]
pub struct Unavailable {
    /// Name of the service, such as `the database` or `object storage`.
    pub what: &'static str,
    /// Cause.
    #[source]
    pub source: BoxError,
}

impl Unavailable {
    /// The database can't be reached.
    pub fn database(source: impl Into<BoxError>) -> Self {
        Self {
            what: "the database",
            source: source.into(),
        }
    }

    /// Too many passwords are being hashed.
    pub(crate) fn passwords(source: impl Into<BoxError>) -> Self {
        Self {
            what: "password hashing",
            source: source.into(),
        }
    }

    /// Object storage can't be reached.
    pub fn storage(source: impl Into<BoxError>) -> Self {
        Self {
            what: "object storage",
            source: source.into(),
        }
    }

    /// The message broker can't be reached.
    pub fn broker(source: impl Into<BoxError>) -> Self {
        Self {
            what: "the message broker",
            source: source.into(),
        }
    }

    /// The free space of the disk can't be determined.
    pub fn disk(source: impl Into<BoxError>) -> Self {
        Self {
            what: "the disk",
            source: source.into(),
        }
    }

    /// Photos can't be inspected.
    pub fn inspection(source: impl Into<BoxError>) -> Self {
        Self {
            what: "the photo inspection",
            source: source.into(),
        }
    }
}
