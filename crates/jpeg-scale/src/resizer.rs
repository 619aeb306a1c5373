//! The resizer of planes.

use std::sync::Arc;

use crate::backend::Backend;
use crate::planes::{Plane, Samples};
use crate::resize::average::{averaged, enough};
use crate::resize::weights::{Key, LINE_BITS, Weights};

/// Resizes planes with Lanczos3: a sinc windowed to three lobes, stretched to the source's samples where the target has
/// fewer, cut off and brought back to a sum of one at the edges. That is what Pillow's and libvips' `LANCZOS` do, so
/// pictures differ from theirs by rounding only.
///
/// Where there are more than 32 samples for one of the target's, some are averaged first, so that neither time nor memory
/// for weights grows beyond what the plane itself takes: no more than 2 KiB for each column and row of the target.
///
/// Keeps the weights of recent sizes and one row of samples from plane to plane; one resizer serves one thread.
#[derive(Debug)]
pub struct Resizer {
    backend: Backend,
    recent: Vec<Arc<Weights>>,
    line: Vec<i16>,
}

/// Why a plane can't be resized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResizeError {
    /// Width, height or stride are zero or contradict each other, or there are fewer samples than they say.
    #[error("the plane's samples do not fill it")]
    Samples,
    /// The part that is to be resized is empty, not a number, or reaches over an edge.
    #[error("there is no such part of the plane")]
    Part,
    /// The target has no samples.
    #[error("the target is empty")]
    Target,
}

/// So many sets of weights are remembered: two for each of three planes at two sizes, and as many for another picture.
const MOST_RECENT: usize = 16;

impl Default for Resizer {
    fn default() -> Self {
        Self::new()
    }
}

impl Resizer {
    /// A resizer that uses the best instructions that this CPU has.
    pub fn new() -> Self {
        Self::with_backend(Backend::detect())
    }

    /// A resizer that uses certain instructions. The planes are the same with all of them.
    pub fn with_backend(backend: Backend) -> Self {
        Self {
            backend,
            recent: Vec::new(),
            line: Vec::new(),
        }
    }

    /// Resizes the upper left part of a plane to a new plane of the given width and height.
    ///
    /// Width and height of the part may be broken numbers: a plane at N/8 often has a last column and row that its
    /// picture covers in part only.
    ///
    /// # Errors
    /// If sizes contradict each other or are zero.
    pub fn resize(
        &mut self,
        source: Samples<'_>,
        part: (f64, f64),
        size: (usize, usize),
    ) -> Result<Plane, ResizeError> {
        let mut target = Plane::default();
        self.resize_into(source, part, size, &mut target)?;
        Ok(target)
    }

    /// As [`resize`](Self::resize), into a plane whose memory is reused.
    ///
    /// # Errors
    /// If sizes contradict each other or are zero.
    pub fn resize_into(
        &mut self,
        source: Samples<'_>,
        part: (f64, f64),
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
        let inside = |part: f64, whole: usize| part > 0.0 && part <= whole as f64;
        if !inside(part.0, source.width) || !inside(part.1, source.height) {
            return Err(ResizeError::Part);
        }
        if width == 0 || height == 0 {
            return Err(ResizeError::Target);
        }
        let enough = (enough(part.0, width), enough(part.1, height));
        if enough.0 < part.0 as usize || enough.1 < part.1 as usize {
            let smaller = averaged(source, part, enough);
            // A direction of which everything is left keeps its broken edge.
            let part = (part.0.min(enough.0 as f64), part.1.min(enough.1 as f64));
            return self.resize_into(smaller.samples(), part, (width, height), target);
        }
        let across = self.weights(Key::new(source.width, part.0, width));
        let down = self.weights(Key::new(source.height, part.1, height));
        target.shape(width, height, width, height);
        self.line.clear();
        // Weights come in whole pieces, the last of them zeros for samples behind the end.
        self.line.resize(source.width + across.taps, 0);
        let mut rows = Vec::with_capacity(down.taps);
        for (y, to) in target.data.chunks_exact_mut(width).enumerate() {
            let (first, count, weights) = down.of(y);
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

    fn weights(&mut self, key: Key) -> Arc<Weights> {
        /// Bytes of a set of weights that is not worth keeping.
        const LARGE: usize = 1 << 20;
        if let Some(known) = self.recent.iter().find(|known| known.key == key) {
            return Arc::clone(known);
        }
        let weights = Arc::new(Weights::new(key));
        if weights.bytes() <= LARGE {
            if self.recent.len() == MOST_RECENT {
                self.recent.remove(0);
            }
            self.recent.push(Arc::clone(&weights));
        }
        weights
    }
}
