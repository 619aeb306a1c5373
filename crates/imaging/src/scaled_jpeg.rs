//! The `jpeg-scale` decoder with its reused buffers, for JPEG files and for JPEG inside TIFF.

use jpeg_scale::{Damage, Decoder, Error, Limits, Planes, Scale};

use crate::{error::DecodeError, raster::Raster};

/// Decoder together with the sample planes of the previous image, whose memory the next one reuses.
#[derive(Debug, Default)]
pub(crate) struct ScaledJpegDecoder {
    decoder: Decoder,
    planes: Planes,
}

/// The memory budget is checked before decoding starts.
const NO_LIMITS: Limits = Limits {
    pixels: u64::MAX,
    bytes: u64::MAX,
};

impl ScaledJpegDecoder {
    /// Keeps the memory of a raster for the next image. The memory of a large one is freed instead.
    pub(crate) fn reuse(&mut self, raster: Raster) {
        /// Fits an image of 20 megapixels that was decoded at half its size, with its chroma.
        const MAX_REUSED_BYTES: usize = 8 << 20;
        let reusable: usize = raster.planes.iter().map(|plane| plane.samples.capacity()).sum();
        if reusable <= MAX_REUSED_BYTES {
            let planes = raster.planes.into_iter().map(|plane| jpeg_scale::Plane {
                data: plane.samples,
                ..jpeg_scale::Plane::default()
            });
            self.planes.planes = planes.collect();
        }
    }

    /// Decodes a file at a scale, with the damage that did not stop the decoder.
    pub(crate) fn decode_scaled(
        &mut self,
        file: &[u8],
        scale: Scale,
    ) -> Result<(Planes, Option<Damage>), Error> {
        // Taken, so that no samples of an image that can't be decoded are kept.
        let mut planes = std::mem::take(&mut self.planes);
        let damage = self.decoder.decode_into(file, scale, &NO_LIMITS, &mut planes)?;
        Ok((planes, damage))
    }

    /// Decodes a file in its full size into `planes`. Missing data is an error.
    pub(crate) fn decode_complete(
        &mut self,
        file: &[u8],
        limits: &Limits,
        planes: &mut Planes,
    ) -> Result<(), DecodeError> {
        match self.decoder.decode_into(file, Scale::Full, limits, planes) {
            Ok(None | Some(Damage::Surplus)) => Ok(()),
            Ok(Some(damage)) => Err(DecodeError::damaged(damage)),
            Err(error) => Err(DecodeError::damaged(error)),
        }
    }
}
