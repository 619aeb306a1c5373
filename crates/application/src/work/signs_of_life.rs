use rapidphoto_domain::{PhotoId, Timestamp};

/// Knows when a client last told of an upload. Such word is not written down tick by tick, so whoever hears it is asked.
pub trait SignsOfLife: Send + Sync {
    /// When the last progress tick of a photo came, if one came.
    fn last_tick(&self, photo: PhotoId) -> Option<Timestamp>;
}
