use std::ops::Range;

use super::palette::Palette;
use crate::{
    canvas::PixelFormat,
    error::Damage,
    ifd::{Directory, Value},
    raster::ColourModel,
};

const NEW_SUBFILE_TYPE: u16 = 254;
const IMAGE_WIDTH: u16 = 256;
const IMAGE_LENGTH: u16 = 257;
const BITS_PER_SAMPLE: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC_INTERPRETATION: u16 = 262;
const FILL_ORDER: u16 = 266;
const STRIP_OFFSETS: u16 = 273;
const SAMPLES_PER_PIXEL: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const STRIP_BYTE_COUNTS: u16 = 279;
const PLANAR_CONFIGURATION: u16 = 284;
const PREDICTOR: u16 = 317;
const COLOR_MAP: u16 = 320;
const TILE_WIDTH: u16 = 322;
const TILE_LENGTH: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTE_COUNTS: u16 = 325;
const SUB_IFDS: u16 = 330;
const EXTRA_SAMPLES: u16 = 338;
const SAMPLE_FORMAT: u16 = 339;
const JPEG_TABLES: u16 = 347;
const DNG_VERSION: u16 = 50706;

/// Values of `PhotometricInterpretation`.
const WHITE_IS_ZERO: u32 = 0;
const BLACK_IS_ZERO: u32 = 1;
const RGB: u32 = 2;
const PALETTE: u32 = 3;
const SEPARATED: u32 = 5;
const YCBCR: u32 = 6;
const COLOR_FILTER_ARRAY: u32 = 32803;
const LINEAR_RAW: u32 = 34892;

/// Value of `Compression` for JPEG as in Technical Note #2; 6 is the old-style JPEG of TIFF 6.0.
const JPEG: u32 = 7;

/// Unsupported feature: JPEG compression with another colour model, process or sampling than is read here.
pub(super) const UNUSUAL_JPEG: &str = "image/tiff with an unsupported kind of JPEG";

/// All tags that describe the storage of pixels are below this one.
const STORAGE_TAGS_END: u16 = 532;

/// Tags with integers that describe the storage of pixels.
const STORAGE_TAGS: [u16; 19] = [
    IMAGE_WIDTH,
    IMAGE_LENGTH,
    BITS_PER_SAMPLE,
    COMPRESSION,
    PHOTOMETRIC_INTERPRETATION,
    FILL_ORDER,
    STRIP_OFFSETS,
    SAMPLES_PER_PIXEL,
    ROWS_PER_STRIP,
    STRIP_BYTE_COUNTS,
    PLANAR_CONFIGURATION,
    PREDICTOR,
    COLOR_MAP,
    TILE_WIDTH,
    TILE_LENGTH,
    TILE_OFFSETS,
    TILE_BYTE_COUNTS,
    EXTRA_SAMPLES,
    SAMPLE_FORMAT,
];

/// Longest edge of a tile in pixels, far above those that programs write.
const MAX_TILE_EDGE: u32 = 1 << 16;

/// Padding of all tiles in pixels that is always allowed; enough for a thin image in large tiles.
const MAX_PADDING_PIXELS: u64 = 1 << 26;

/// A strip or tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    /// Offset in the file.
    pub(super) offset: u32,
    /// Length in bytes.
    pub(super) length: u32,
    /// Left column in the image.
    pub(super) left: u32,
    /// Top row in the image.
    pub(super) top: u32,
    /// Width and height in pixels, with the padding of a tile.
    pub(super) size: (u32, u32),
    /// Rows that a JPEG may have instead: the last strip may be padded, even to whole MCUs.
    pub(super) max_rows: u32,
}

/// Description of the image in the first directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a> {
    pub(super) size: (u32, u32),
    /// Bits of a sample.
    pub(super) bits: u32,
    /// Samples of a pixel, with all extra samples.
    pub(super) samples: u32,
    /// Width and height of a strip or tile.
    pub(super) chunk_size: (u32, u32),
    photometric: u32,
    /// Meaning of the first extra sample.
    extra: Option<u32>,
    directory: Directory<'a>,
}

impl<'a> Header<'a> {
    pub(super) fn read(directory: Directory<'a>) -> Result<Self, Damage> {
        if STORAGE_TAGS
            .into_iter()
            .chain([JPEG_TABLES])
            .any(|tag| directory.is_truncated_at(tag))
        {
            return Err(Damage::Truncated);
        }
        // The decoder reads more integer types. Rejecting them ensures that it reads the values that are validated
        // here.
        if STORAGE_TAGS.into_iter().any(|tag| directory.has_non_integer(tag)) {
            return Err(Damage::Malformed);
        }
        if directory.has_too_many_entries() {
            return Err(Damage::TooManyParts);
        }
        if directory.has_conflicting_entries(STORAGE_TAGS_END) {
            return Err(Damage::Malformed);
        }
        let integer = |tag: u16| directory.get(tag)?.integer();
        let size = integer(IMAGE_WIDTH)
            .zip(integer(IMAGE_LENGTH))
            .ok_or(Damage::Malformed)?;
        let chunk_size = match integer(TILE_WIDTH) {
            Some(width) => (width, integer(TILE_LENGTH).ok_or(Damage::Malformed)?),
            None => (size.0, integer(ROWS_PER_STRIP).unwrap_or(u32::MAX).min(size.1)),
        };
        Ok(Self {
            size,
            bits: integer(BITS_PER_SAMPLE).unwrap_or(1),
            samples: integer(SAMPLES_PER_PIXEL).unwrap_or(1),
            chunk_size,
            photometric: integer(PHOTOMETRIC_INTERPRETATION).ok_or(Damage::Malformed)?,
            extra: integer(EXTRA_SAMPLES),
            directory,
        })
    }

    /// Feature of the image that is not supported.
    pub(super) fn unsupported_feature(&self) -> Option<&'static str> {
        let integer = |tag: u16| self.directory.get(tag)?.integer();
        let has = |tag: u16| self.directory.get(tag).is_some();
        let is_preview = integer(NEW_SUBFILE_TYPE).is_some_and(|flags| flags & 1 == 1);
        if has(DNG_VERSION) {
            return Some("image/x-adobe-dng");
        }
        // The first image of other raw files is a small preview.
        if is_preview && has(SUB_IFDS) || matches!(self.photometric, COLOR_FILTER_ARRAY | LINEAR_RAW) {
            return Some("image/tiff with camera raw data");
        }
        match integer(COMPRESSION).unwrap_or(1) {
            // None, LZW, Deflate (two values), PackBits.
            1 | 5 | 8 | 32_946 | 32_773 => {}
            JPEG => return self.unsupported_jpeg(),
            6 | 99 => return Some(UNUSUAL_JPEG),
            _ => return Some("image/tiff with an unsupported compression"),
        }
        // Unsigned integers, or undefined.
        if integer(SAMPLE_FORMAT).is_some_and(|format| !matches!(format, 1 | 4)) {
            return Some("image/tiff with non-integer samples");
        }
        match (self.photometric, self.samples, self.bits) {
            (WHITE_IS_ZERO | BLACK_IS_ZERO, 1, 1 | 2 | 4 | 8 | 16)
            | (WHITE_IS_ZERO | BLACK_IS_ZERO, 2..=4, 8 | 16)
            | (RGB, 3..=6, 8 | 16)
            | (SEPARATED, 4, 8 | 16)
            | (PALETTE, 1, 1 | 2 | 4 | 8) => {}
            (WHITE_IS_ZERO | BLACK_IS_ZERO | RGB | SEPARATED | PALETTE, ..) => {
                return Some("image/tiff with an unsupported number of bits or channels");
            }
            _ => return Some("image/tiff with an unsupported colour space"),
        }
        let is_reversed = integer(FILL_ORDER) == Some(2);
        let is_inverted_with_alpha = self.photometric == WHITE_IS_ZERO && self.samples > 1;
        let is_predicted = integer(PREDICTOR).is_some_and(|predictor| predictor != 1);
        // Rows of tiles that end within a byte; only those of the last tile in a row of tiles may.
        let has_partial_bytes = self.chunk_size.0 < self.size.0
            && !(u64::from(self.chunk_size.0) * u64::from(self.bits)).is_multiple_of(8);
        let is_unusual_packing = self.bits < 8 && (has_partial_bytes || is_predicted);
        (is_unusual_packing || is_reversed || is_inverted_with_alpha)
            .then_some("image/tiff with reversed bits")
    }

    fn unsupported_jpeg(&self) -> Option<&'static str> {
        match (self.photometric, self.samples, self.bits) {
            (BLACK_IS_ZERO, 1, 8) | (RGB | YCBCR, 3, 8) if !self.is_planar() => None,
            _ => Some(UNUSUAL_JPEG),
        }
    }

    /// Checks the layout of the strips or tiles in a file of this length.
    pub(super) fn validate(&self, file_length: usize) -> Result<(), Damage> {
        if self.size.0 == 0 || self.size.1 == 0 {
            return Err(Damage::NoPixels);
        }
        let is_valid_edge = |edge: u32, image: u32| (1..=image.max(MAX_TILE_EDGE)).contains(&edge);
        if !is_valid_edge(self.chunk_size.0, self.size.0) || !is_valid_edge(self.chunk_size.1, self.size.1) {
            return Err(Damage::Malformed);
        }
        if self.photometric == PALETTE && self.palette().is_none() {
            return Err(Damage::Malformed);
        }
        let (offsets, lengths) = match (
            self.directory.get(STRIP_OFFSETS),
            self.directory.get(TILE_OFFSETS),
        ) {
            (Some(offsets), None) => (offsets, self.directory.get(STRIP_BYTE_COUNTS)),
            (None, Some(offsets)) => (offsets, self.directory.get(TILE_BYTE_COUNTS)),
            _ => return Err(Damage::Malformed),
        };
        let lengths = lengths.ok_or(Damage::Malformed)?;
        let planes = if self.is_planar() { self.samples } else { 1 };
        let chunks_of_plane = u64::from(self.size.0.div_ceil(self.chunk_size.0))
            * u64::from(self.size.1.div_ceil(self.chunk_size.1));
        let chunks = chunks_of_plane * u64::from(planes);
        let pixels = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
        // Padding is decoded too.
        let max_pixels = pixels(self.size)
            .saturating_mul(4)
            .saturating_add(MAX_PADDING_PIXELS);
        if chunks_of_plane.saturating_mul(pixels(self.chunk_size)) > max_pixels {
            return Err(Damage::Malformed);
        }
        if offsets.integers().count() as u64 != chunks || lengths.integers().count() as u64 != chunks {
            return Err(Damage::Malformed);
        }
        let ranges = || {
            let range = |(offset, length)| u64::from(offset)..u64::from(offset) + u64::from(length);
            offsets.integers().zip(lengths.integers()).map(range)
        };
        if ranges().any(|range: Range<u64>| range.end > file_length as u64) {
            return Err(Damage::Truncated);
        }
        // The byte at this offset is patched for the decoder, so it must not belong to the image data.
        if let Some(offset) = self.palette_photometric_offset()
            && ranges().any(|range| range.contains(&(offset as u64)))
        {
            return Err(Damage::Malformed);
        }
        Ok(())
    }

    /// Returns true if the strips or tiles are JPEG streams.
    pub(super) fn is_jpeg(&self) -> bool {
        self.directory.get(COMPRESSION).and_then(Value::integer) == Some(JPEG)
    }

    /// Tables that the JPEG streams share.
    pub(super) fn jpeg_tables(&self) -> Option<&'a [u8]> {
        self.directory.get(JPEG_TABLES).map(Value::bytes)
    }

    /// Colour model of the JPEG streams.
    pub(super) fn jpeg_colour_model(&self) -> ColourModel {
        match self.photometric {
            RGB => ColourModel::Rgb,
            YCBCR => ColourModel::YCbCr,
            _ => ColourModel::Grey,
        }
    }

    /// Strips or tiles of an image that is not planar.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Chunk> + '_ {
        let is_tiled = self.directory.get(TILE_OFFSETS).is_some();
        let tags = if is_tiled {
            [TILE_OFFSETS, TILE_BYTE_COUNTS]
        } else {
            [STRIP_OFFSETS, STRIP_BYTE_COUNTS]
        };
        let [offsets, lengths] =
            tags.map(|tag| self.directory.get(tag).into_iter().flat_map(Value::integers));
        let (width, height) = self.chunk_size;
        let across = self.size.0.div_ceil(width.max(1)).max(1);
        offsets
            .zip(lengths)
            .zip(0_u32..)
            .map(move |((offset, length), number)| {
                let (left, top) = (
                    (number % across).saturating_mul(width),
                    (number / across).saturating_mul(height),
                );
                let remaining = self.size.1.saturating_sub(top);
                let (rows, max_rows) = if is_tiled || remaining > height {
                    (height, height)
                } else {
                    (remaining, height.next_multiple_of(16))
                };
                Chunk {
                    offset,
                    length,
                    left,
                    top,
                    size: (width, rows),
                    max_rows,
                }
            })
    }

    /// Returns true if each sample of a pixel is stored in a plane of its own.
    pub(super) fn is_planar(&self) -> bool {
        let configuration = self.directory.get(PLANAR_CONFIGURATION).and_then(Value::integer);
        self.samples > 1 && configuration == Some(2)
    }

    /// Palette of a palette image.
    pub(super) fn palette(&self) -> Option<Palette> {
        if self.photometric != PALETTE {
            return None;
        }
        Palette::read(self.bits, self.directory.get(COLOR_MAP)?.integers())
    }

    /// Offset of the low byte of `PhotometricInterpretation` in the file of a palette image.
    pub(super) fn palette_photometric_offset(&self) -> Option<usize> {
        let offset = self.directory.low_byte_offset(PHOTOMETRIC_INTERPRETATION);
        offset.filter(|_| self.photometric == PALETTE)
    }

    /// Samples of a pixel that are decoded, the first ones: those of [`Self::pixel_format`], or a palette index.
    pub(super) fn decoded_samples(&self) -> usize {
        if self.photometric == PALETTE {
            1
        } else {
            self.pixel_format().samples()
        }
    }

    /// Pixel format of the decoded samples, after palette lookup.
    pub(super) fn pixel_format(&self) -> PixelFormat {
        const ASSOCIATED_ALPHA: u32 = 1;
        const UNASSOCIATED_ALPHA: u32 = 2;
        match (self.photometric, self.samples, self.extra) {
            (SEPARATED, ..) => PixelFormat::Cmyk,
            (RGB, 4.., Some(ASSOCIATED_ALPHA)) => PixelFormat::RgbaPremultiplied,
            (RGB, 4.., Some(UNASSOCIATED_ALPHA)) => PixelFormat::Rgba,
            (RGB | PALETTE, ..) => PixelFormat::Rgb,
            (_, 2.., Some(UNASSOCIATED_ALPHA)) => PixelFormat::GreyAlpha,
            _ => PixelFormat::Grey,
        }
    }

    /// Memory in bytes that the lists of strips or tiles take.
    pub(super) fn list_bytes(&self) -> u64 {
        /// The decoder parses each value into 32 bytes and then converts it to 8. Of the two lists, one is converted
        /// before the other is parsed.
        const BYTES_PER_VALUE: u64 = 32 + 2 * 8 + 8;
        (self.directory.max_list_length(STORAGE_TAGS_END) as u64).saturating_mul(BYTES_PER_VALUE)
    }

    /// Memory in bytes that the samples of a strip take, or of a tile and its row of tiles.
    pub(super) fn chunk_bytes(&self) -> u64 {
        let pixel = u64::from(self.samples) * u64::from(self.bits.div_ceil(8));
        let chunk = u64::from(self.chunk_size.0).saturating_mul(self.chunk_size.1.into());
        let band = u64::from(self.size.0).saturating_mul(self.chunk_size.1.min(self.size.1).into());
        chunk.saturating_add(band).saturating_mul(pixel)
    }
}
