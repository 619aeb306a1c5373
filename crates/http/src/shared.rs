use tokio::sync::watch;

use crate::{app::App, limits::Limits};

/// State that all worker threads of the server share.
pub(crate) struct Shared {
    pub(crate) app: App,
    pub(crate) limits: Limits,
    /// True once the server is shutting down, which ends all streams.
    pub(crate) closing: watch::Receiver<bool>,
}
