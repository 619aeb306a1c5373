use diesel::result::{DatabaseErrorKind, Error};

/// Meaning of a failed statement of a commit. Everything else is a database that can't be reached.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused<'a> {
    /// A unique index or key, by its name.
    Taken(&'a str),
    /// The server ended the transaction because of others that run beside it (40P01, 40001).
    Contention,
}

/// Tells refused statements from a database that can't be reached.
pub(super) fn refused(error: &Error) -> Option<Refused<'_>> {
    let Error::DatabaseError(kind, why) = error else {
        return None;
    };
    match kind {
        DatabaseErrorKind::UniqueViolation => Some(Refused::Taken(why.constraint_name().unwrap_or_default())),
        DatabaseErrorKind::SerializationFailure => Some(Refused::Contention),
        // Diesel passes on no code for it. Every connection asks for English texts.
        DatabaseErrorKind::Unknown if why.message() == "deadlock detected" => Some(Refused::Contention),
        _ => None,
    }
}
