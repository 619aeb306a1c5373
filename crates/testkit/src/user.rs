use std::sync::atomic::{AtomicU32, Ordering};

use rapidphoto_client::{Client, ClientError, Session};

/// Password of all test users.
pub const PASSWORD: &str = "correct horse battery";

static USERS: AtomicU32 = AtomicU32::new(1);

/// Registers a user with a unique address and logs in.
///
/// # Errors
/// If a request fails.
pub async fn new_user(client: &Client) -> Result<Session, ClientError> {
    let email = format!("user-{}@example.org", USERS.fetch_add(1, Ordering::Relaxed));
    client.register(&email, PASSWORD).await?;
    client.log_in(&email, PASSWORD).await
}
