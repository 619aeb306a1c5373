use std::{fmt, io};

use rapidphoto_api_types::Tokens;

/// Place where the tokens of a login are kept, such as a file that several processes share.
///
/// Refresh tokens are replaced at each use, and the use of an old one ends the login. Sessions of several processes therefore
/// renew their tokens one after the other.
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// Locks the tokens until the result is dropped. May block.
    fn lock(&self) -> io::Result<Box<dyn LockedTokens>>;
}

/// Tokens in a store that are locked.
pub trait LockedTokens: Send {
    /// Loads the tokens; `None` after a logout.
    fn load(&self) -> io::Result<Option<Tokens>>;
    /// Replaces the tokens.
    fn replace(&mut self, tokens: &Tokens) -> io::Result<()>;
}
