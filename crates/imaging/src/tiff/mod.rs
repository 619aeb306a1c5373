//! TIFF (revision 6.0): the first directory is parsed here; the pixels of its image are decoded by the `tiff` crate.
//!
//! Raw files of cameras are TIFF files too, whose first image is a preview: they are detected and reported as
//! unsupported. JPEG compression is decoded by `jpeg-scale`, once the header of each JPEG matches the directory.

mod band_reader;
mod header;
mod jpeg;
mod palette;
mod patched_file;
mod row_converter;

use std::borrow::Cow;

use tiff::decoder::{Decoder, Limits};

use crate::{
    canvas::Canvas,
    decoder::{FIXED_OVERHEAD_BYTES, ImageDecoder, MAX_ICC_PROFILE_BYTES, catch_panics},
    error::{Damage, DecodeError},
    ifd::{IfdReader, Value},
    raster::Raster,
    scratch::Scratch,
};
use band_reader::BandReader;
use header::Header;
use patched_file::PatchedFile;
use row_converter::RowConverter;

const ICC_PROFILE: u16 = 34_675;

/// A parsed TIFF file.
#[derive(Debug)]
pub(crate) struct Tiff<'a> {
    bytes: &'a [u8],
    header: Option<Header<'a>>,
    profile: Option<&'a [u8]>,
    unsupported_feature: Option<&'static str>,
    damage: Option<Damage>,
}

impl<'a> Tiff<'a> {
    /// Parses a file that starts with a TIFF header.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut file = Self {
            bytes,
            header: None,
            profile: None,
            unsupported_feature: None,
            damage: None,
        };
        file.damage = file.parse().err();
        file
    }

    fn parse(&mut self) -> Result<(), Damage> {
        if let Some([b'I', b'I', 43, _] | [b'M', b'M', _, 43]) = self.bytes.get(..4) {
            self.unsupported_feature = Some("image/tiff, BigTIFF");
            return Ok(());
        }
        if self.bytes.get(8..10) == Some(b"CR") {
            self.unsupported_feature = Some("image/x-canon-cr2");
            return Ok(());
        }
        let file = IfdReader::open(self.bytes).ok_or(Damage::Malformed)?;
        let directory = file.first().ok_or(Damage::Truncated)?;
        let header = Header::read(directory)?;
        self.header = Some(header);
        self.profile = directory.get(ICC_PROFILE).map(Value::bytes);
        self.unsupported_feature = header.unsupported_feature();
        if self.unsupported_feature.is_some() {
            return Ok(());
        }
        header.validate(self.bytes.len())?;
        if header.is_jpeg() {
            jpeg::validate(&header, self.bytes.len())?;
        }
        Ok(())
    }

    fn decode_pixels(&self) -> Result<Raster, DecodeError> {
        let header = self
            .header
            .ok_or_else(|| DecodeError::damaged("the directory is missing"))?;
        let file = match header.palette_photometric_offset() {
            Some(offset) => PatchedFile::with_black_is_zero(self.bytes, offset),
            None => PatchedFile::unchanged(self.bytes),
        };
        let decoder = Decoder::new(file).map_err(DecodeError::damaged)?;
        // The memory budget is checked before decoding starts.
        let mut bands = BandReader::new(decoder.with_limits(Limits::unlimited()), &header)?;
        let mut converter = RowConverter::new(bands.samples(), &header);
        let mut canvas = Canvas::new(header.size, header.pixel_format());
        let row_bytes = bands.row_bytes();
        for band in 0..bands.count() {
            for row in bands.read(band)?.chunks_exact(row_bytes.max(1)) {
                canvas.push(converter.convert(row, header.size.0 as usize));
            }
        }
        canvas.finish()
    }
}

impl ImageDecoder for Tiff<'_> {
    fn size(&self) -> Option<(u32, u32)> {
        self.header.map(|header| header.size)
    }

    fn exif(&self) -> Option<&[u8]> {
        Some(self.bytes)
    }

    fn unsupported_feature(&self) -> Option<&'static str> {
        self.unsupported_feature
    }

    fn damage(&self) -> Option<Damage> {
        self.damage
    }

    fn max_memory_bytes(&self, _edge: u16) -> u64 {
        let Some(header) = self.header else {
            return FIXED_OVERHEAD_BYTES;
        };
        let decoding = if header.is_jpeg() {
            jpeg::max_memory_bytes(&header)
        } else {
            header
                .pixel_format()
                .canvas_bytes(header.size)
                .saturating_add(header.chunk_bytes())
                .saturating_add(RowConverter::max_memory_bytes(header.size.0))
        };
        decoding
            .saturating_add(header.list_bytes())
            .saturating_add(self.bytes.len() as u64)
            .saturating_add(FIXED_OVERHEAD_BYTES)
    }

    fn icc_profile(&self) -> Option<Cow<'_, [u8]>> {
        let profile = self
            .profile
            .filter(|profile| profile.len() <= MAX_ICC_PROFILE_BYTES);
        profile.map(Cow::Borrowed)
    }

    fn decode(&self, _edge: u16, scratch: &mut Scratch) -> Result<Raster, DecodeError> {
        match self.header {
            Some(header) if header.is_jpeg() => jpeg::decode(&header, self.bytes, &mut scratch.scaled_jpeg),
            _ => catch_panics(|| self.decode_pixels()),
        }
    }
}
