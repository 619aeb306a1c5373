//! Client of the HTTP API, used by the demonstration, the command line and the load tests.
//!
//! ```no_run
//! # async fn example() -> Result<(), rapidphoto_client::ClientError> {
//! use rapidphoto_client::{Client, NewUpload};
//!
//! let client = Client::new("http://127.0.0.1:8080")?;
//! let session = client.log_in("ada@example.org", "correct horse battery").await?;
//! let photo = NewUpload::new("IMG_0001.jpg", "image/jpeg", std::fs::read("IMG_0001.jpg").unwrap_or_default());
//! let job = session.create_job(&[photo.file()], None).await?;
//! for item in &job.items {
//!     session.put(item, photo.bytes.clone()).await?;
//!     session.finalize(&item.photo_id).await?;
//! }
//! # Ok(())
//! # }
//! ```

mod admin;
mod client;
mod error;
mod request;
mod session;
mod sse;
mod tls;
mod upload;
mod watch;

pub use client::Client;
pub use error::ClientError;
pub use rapidphoto_api_types as types;
pub use session::Session;
pub use upload::NewUpload;
pub use watch::{JobWatch, WatchEvent};
