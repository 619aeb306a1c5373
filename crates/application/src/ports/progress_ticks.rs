use futures::stream::BoxStream;
use rapidphoto_domain::{JobId, PhotoId, UserId, values::Progress};

/// Progress report of one upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgressTick {
    /// Owner of the photo.
    pub owner: UserId,
    /// Job of the photo.
    pub job: JobId,
    /// Photo that is being uploaded.
    pub photo: PhotoId,
    /// Bytes sent so far and in total.
    pub progress: Progress,
}

/// Distribution of progress ticks to all processes of the deployment.
///
/// Lossy: ticks may be missing, late or repeated, so that nothing but display may depend on them.
pub trait ProgressTicks: Send + Sync {
    /// Sends a tick to every process, including this one. Never waits.
    fn publish(&self, tick: ProgressTick);

    /// Ticks of all processes from now on. The stream ends only if no more ticks will ever come.
    fn subscribe(&self) -> BoxStream<'static, ProgressTick>;
}
