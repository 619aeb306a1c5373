//! How users prove who they are: passwords by argon2id, access tokens by HMAC.

mod passwords;
mod tokens;

pub use passwords::{Argon2Config, Argon2ConfigError, Argon2Passwords};
pub use tokens::{Hs256Tokens, SigningKey, SigningKeyError};
