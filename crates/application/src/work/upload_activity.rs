use rapidphoto_domain::{PhotoId, Timestamp};

/// Source of the last client activity of each upload.
///
/// Progress ticks are kept in memory and not stored, so `look` work reads them through this port.
pub trait UploadActivity: Send + Sync {
    /// Time of the last progress tick of a photo; `None` if there was none.
    fn last_tick(&self, photo: PhotoId) -> Option<Timestamp>;
}
