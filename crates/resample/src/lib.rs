//! Resizes planes of bytes with Lanczos3.
//!
//! This is a crate of its own because the resizer under it compiles itself anew in every crate and for every kind of pixel
//! that uses it, half a minute each: here that happens once, for one kind, and not again when other code changes.

use fast_image_resize::{
    FilterType, ImageBufferError, ResizeAlg, ResizeError, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::U8,
};

/// Resizes planes, and keeps its buffers from one to the next.
#[derive(Debug, Default)]
pub struct Resampler(Resizer);

/// Why a plane can't be resized.
#[derive(Debug, thiserror::Error)]
pub enum ResampleError {
    /// There are fewer samples than width times height.
    #[error("the samples do not fill the plane")]
    Samples(#[from] ImageBufferError),
    /// The part to be resized is empty or reaches over an edge.
    #[error("there is no such part of the plane")]
    Part(#[from] ResizeError),
}

impl Resampler {
    /// Resizes the upper left part of a plane of samples that lie row by row, without gaps. Sizes are width and height;
    /// the part's may be broken numbers: a column that is covered by half counts by half.
    pub fn resample(
        &mut self,
        samples: &[u8],
        (width, height): (u32, u32),
        part: (f64, f64),
        target: (u32, u32),
    ) -> Result<Vec<u8>, ResampleError> {
        let mut resized = vec![0; target.0 as usize * target.1 as usize];
        let from = TypedImageRef::<U8>::from_buffer(width, height, samples)?;
        let mut to = TypedImage::<U8>::from_buffer(target.0, target.1, &mut resized)?;
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
            .crop(0.0, 0.0, part.0, part.1);
        self.0.resize_typed(&from, &mut to, &options)?;
        Ok(resized)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_plane_stays_even() {
        let resized = Resampler::default().resample(&[77; 60 * 40], (60, 40), (60.0, 40.0), (7, 5));
        assert_eq!(resized.unwrap(), [77; 35]);
    }

    #[test]
    fn a_column_that_is_covered_in_part_counts_in_part() {
        let samples = [0, 0, 0, 255];
        let mean = |part: f64| {
            Resampler::default()
                .resample(&samples, (4, 1), (part, 1.0), (1, 1))
                .unwrap()
        };
        assert!(mean(3.5) < mean(4.0));
    }

    #[test]
    fn a_part_beyond_the_plane_is_refused() {
        let resample =
            |samples: &[u8], part: (f64, f64)| Resampler::default().resample(samples, (4, 1), part, (1, 1));
        assert!(matches!(
            resample(&[0; 4], (4.5, 1.0)),
            Err(ResampleError::Part(_))
        ));
        assert!(matches!(
            resample(&[0; 3], (4.0, 1.0)),
            Err(ResampleError::Samples(_))
        ));
    }
}
