/// An error of the outside, kept as the source of a port's error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// The outside can't be reached, or answered with something that it never should. A write that ends like this may or
/// may not stand.
#[derive(Debug, thiserror::Error)]
#[error("{what} can't be reached")]
pub struct Unavailable {
    /// What can't be reached, such as `the record` or `object storage`.
    pub what: &'static str,
    /// Why.
    #[source]
    pub source: BoxError,
}

impl Unavailable {
    /// The record can't be reached.
    pub fn database(source: impl Into<BoxError>) -> Self {
        Self {
            what: "the database",
            source: source.into(),
        }
    }

    /// Password hashing has no place for another one.
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
}
