use async_trait::async_trait;
use rapidphoto_application::ports::{BoxError, PasswordHash, PasswordHasher};

/// Password "hashes" in plain text, for tests in which a real hash would only take time.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainPasswords;

#[async_trait]
impl PasswordHasher for PlainPasswords {
    async fn hash(&self, password: &str) -> Result<PasswordHash, BoxError> {
        Ok(PasswordHash(format!("$plain${password}")))
    }

    async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, BoxError> {
        Ok(hash.and_then(|hash| hash.0.strip_prefix("$plain$")) == Some(password))
    }

    fn is_outdated(&self, _: &PasswordHash) -> bool {
        false
    }
}
