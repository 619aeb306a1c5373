//! The resizer of planes.

use std::sync::Arc;

use crate::backend::Backend;
use crate::planes::{Plane, Samples};
use crate::resize::average::{box_average, reduced_length};
use crate::resize::weights::{LINE_BITS, Weights, WeightsKey};

/// Resizes planes with Lanczos3: a sinc windowed to three lobes, stretched to the source's samples when
/// reducing, truncated and normalised to a sum of one at the edges. Pillow's and libvips' `LANCZOS` filters
/// are defined in the same way, so results differ from theirs by rounding only.
///
/// From a ratio of 32 source samples to one target sample on, the source is averaged first. This bounds time
/// and memory for weights to a multiple of the plane's own: at most 2 KiB for each column and row of the
/// target.
///
/// Keeps the weights of recent sizes and one row of samples between planes. A resizer is used by one thread
/// at a time.
#[derive(Debug)]
pub struct Resizer {
    backend: Backend,
    cache: Vec<Arc<Weights>>,
    line: Vec<i16>,
}

/// Reasons for which a plane cannot be resized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResizeError {
    /// Width, height or stride is zero or inconsistent, or there are too few samples.
    #[error("the plane's size is zero, or it has too few samples for its size")]
    Samples,
    /// The region is empty, not a number, or extends beyond the plane.
    #[error("the region is empty or extends beyond the plane")]
    Region,
    /// The target has no samples.
    #[error("the target's width or height is zero")]
    Target,
}

/// Number of cached sets of weights: two for each of three planes at two sizes, and as many for another
/// image.
const MAX_CACHED_WEIGHTS: usize = 16;

impl Default for Resizer {
    fn default() -> Self {
        Self::new()
    }
}

impl Resizer {
    /// A resizer with the fastest backend that this CPU supports.
    pub fn new() -> Self {
        Self::with_backend(Backend::detect())
    }

    /// A resizer with a given backend. All backends give the same planes.
    pub fn with_backend(backend: Backend) -> Self {
        Self {
            backend,
            cache: Vec::new(),
            line: Vec::new(),
        }
    }

    /// Resizes the upper left region of a plane to a new plane of the given width and height.
    ///
    /// Width and height of the region may be fractional: the image often covers only a part of the last
    /// column and row of a plane at N/8.
    ///
    /// # Errors
    /// [`ResizeError`] if a size is zero or sizes are inconsistent.
    pub fn resize(
        &mut self,
        source: Samples<'_>,
        region: (f64, f64),
        size: (usize, usize),
    ) -> Result<Plane, ResizeError> {
        let mut target = Plane::default();
        self.resize_into(source, region, size, &mut target)?;
        Ok(target)
    }

    /// As [`resize`](Self::resize), into a plane whose memory is reused.
    ///
    /// # Errors
    /// [`ResizeError`] if a size is zero or sizes are inconsistent.
    pub fn resize_into(
        &mut self,
        source: Samples<'_>,
        region: (f64, f64),
        (width, height): (usize, usize),
        target: &mut Plane,
    ) -> Result<(), ResizeError> {
        let needed = source.stride.checked_mul(source.height);
        if source.width == 0
            || source.height == 0
            || source.stride < source.width
            || needed.is_none_or(|needed| source.data.len() < needed)
        {
            return Err(ResizeError::Samples);
        }
        let inside = |length: f64, whole: usize| length > 0.0 && length <= whole as f64;
        if !inside(region.0, source.width) || !inside(region.1, source.height) {
            return Err(ResizeError::Region);
        }
        if width == 0 || height == 0 {
            return Err(ResizeError::Target);
        }
        let reduced = (reduced_length(region.0, width), reduced_length(region.1, height));
        if reduced.0 < region.0 as usize || reduced.1 < region.1 as usize {
            let smaller = box_average(source, region, reduced);
            // A direction that was not averaged keeps its fractional edge.
            let region = (region.0.min(reduced.0 as f64), region.1.min(reduced.1 as f64));
            return self.resize_into(smaller.samples(), region, (width, height), target);
        }
        let across = self.weights(WeightsKey::new(source.width, region.0, width));
        let down = self.weights(WeightsKey::new(source.height, region.1, height));
        target.shape(width, height, width, height);
        self.line.clear();
        // Weights are padded with zeros to whole chunks: the line is as long as the last chunk reaches.
        self.line.resize(source.width + across.taps, 0);
        let mut rows = Vec::with_capacity(down.taps);
        for (y, to) in target.data.chunks_exact_mut(width).enumerate() {
            let (first, count, weights) = down.for_sample(y);
            rows.clear();
            rows.extend(source.data.chunks_exact(source.stride).skip(first).take(count));
            self.backend.add_rows(
                &rows,
                weights,
                down.bits - LINE_BITS,
                &mut self.line[..source.width],
            );
            self.backend.add_samples(&self.line, &across, to);
        }
        Ok(())
    }

    fn weights(&mut self, key: WeightsKey) -> Arc<Weights> {
        /// Sets of weights above this size are not cached.
        const MAX_CACHED_BYTES: usize = 1 << 20;
        if let Some(cached) = self.cache.iter().find(|cached| cached.key == key) {
            return Arc::clone(cached);
        }
        let weights = Arc::new(Weights::new(key));
        if weights.bytes() <= MAX_CACHED_BYTES {
            if self.cache.len() == MAX_CACHED_WEIGHTS {
                self.cache.remove(0);
            }
            self.cache.push(Arc::clone(&weights));
        }
        weights
    }
}
