use std::sync::Arc;

use tokio::sync::watch;

use crate::{app::App, cursors::CursorCipher, limits::Limits, stream::StreamSlots};

/// State that all worker threads of the server share.
pub(crate) struct Shared {
    pub(crate) app: App,
    pub(crate) limits: Limits,
    /// Open streams of each user.
    pub(crate) streams: Arc<StreamSlots>,
    /// Encrypts the cursors of streams for clients.
    pub(crate) cursors: CursorCipher,
    /// True once the server is shutting down, which ends all streams.
    pub(crate) closing: watch::Receiver<bool>,
}
