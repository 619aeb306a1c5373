use tokio::sync::watch;

use crate::{app::App, limits::Limits};

/// State that all worker threads of the server share.
pub(crate) struct Shared {
    pub(crate) app: App,
    pub(crate) limits: Limits,
    /// Turns true when the server is told to stop; streams end then.
    pub(crate) closing: watch::Receiver<bool>,
}
