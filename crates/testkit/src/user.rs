use std::sync::atomic::{AtomicU32, Ordering};

use rapidphoto_client::{Client, ClientError, Session};

/// The password of every user in tests.
pub const PASSWORD: &str = "correct horse battery";

static USERS: AtomicU32 = AtomicU32::new(1);

/// A user that nobody else is, logged in.
///
/// # Errors
/// When the API refuses.
pub async fn new_user(client: &Client) -> Result<Session, ClientError> {
    let email = format!("user-{}@example.org", USERS.fetch_add(1, Ordering::Relaxed));
    client.register(&email, PASSWORD).await?;
    client.log_in(&email, PASSWORD).await
}
