#![doc = include_str!("../README.md")]

mod admin;
mod client;
mod content;
mod error;
mod jobs;
mod mime;
mod parts;
mod photos;
mod request;
mod retry;
mod session;
mod sse;
mod tls;
mod token_store;
mod tokens;
mod transfer;
mod upload;
mod watch;

pub use client::Client;
pub use content::Content;
pub use error::{ClientError, ProblemResponse};
pub use mime::mime_type_of;
pub use photos::Download;
pub use rapidphoto_api_types as types;
pub use retry::with_retries;
pub use session::Session;
pub use token_store::{LockedTokens, TokenStore};
pub use transfer::Transfer;
pub use upload::NewUpload;
pub use watch::{Watch, WatchEvent};
