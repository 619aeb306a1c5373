use crate::{scaled_jpeg::ScaledJpegDecoder, thumbnails::Thumbnailer};

/// Buffers, caches and decoder state of one thread, reused from photo to photo.
#[derive(Debug)]
pub struct Scratch {
    pub(crate) thumbnailer: Thumbnailer,
    pub(crate) scaled_jpeg: ScaledJpegDecoder,
    /// Pool of a single thread. Decoders use all threads of the `rayon` pool that they run on, so this one keeps a
    /// photo from taking more than one processor.
    pub(crate) decoding: rayon::ThreadPool,
}

/// The operating system could not start the decoding thread.
#[derive(Debug, thiserror::Error)]
#[error("can't start the decoding thread")]
pub struct ScratchError(#[from] rayon::ThreadPoolBuildError);

impl Scratch {
    /// Empty buffers and a decoding thread.
    ///
    /// # Errors
    /// If the operating system can't start a thread.
    pub fn new() -> Result<Self, ScratchError> {
        Ok(Self {
            thumbnailer: Thumbnailer::default(),
            scaled_jpeg: ScaledJpegDecoder::default(),
            decoding: rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .thread_name(|_| "decoding".to_owned())
                .build()?,
        })
    }
}
