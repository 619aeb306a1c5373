//! Authentication of users: password hashing with Argon2id and access tokens signed with HMAC.

mod passwords;
mod tokens;

pub use passwords::{Argon2Config, Argon2ConfigError, Argon2Passwords};
pub use tokens::{Hs256Tokens, PreviousKey, SigningKey, SigningKeyError};
