//! TIFF (revision 6.0): its first directory here, the pixels of its first picture by the `tiff` crate.
//!
//! Cameras' raw files begin as TIFF files do, with a picture for the camera's display: they are recognised and not read.
//! JPEGs inside TIFF are decoded as others are, once their own headers say what the TIFF says.

mod bands;
mod header;
mod jpeg;
mod narrow;
mod palette;

use std::borrow::Cow;

use tiff::decoder::{Decoder, Limits};

use crate::{
    canvas::Canvas,
    exif::tiff as directories,
    form::{Damage, DecodeError, Form, LARGEST_PROFILE, REST, guarded},
    inspect::Scratch,
    raster::Raster,
};
use bands::Bands;
use header::Header;
use narrow::Narrow;
use palette::Told;

const PROFILE: u16 = 34_675;

/// A file's first directory as far as it can be read.
#[derive(Debug)]
pub(crate) struct Tiff<'a> {
    bytes: &'a [u8],
    header: Option<Header<'a>>,
    profile: Option<&'a [u8]>,
    obstacle: Option<&'static str>,
    damage: Option<Damage>,
}

impl<'a> Tiff<'a> {
    /// Reads a file that begins as a TIFF does.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut file = Self {
            bytes,
            header: None,
            profile: None,
            obstacle: None,
            damage: None,
        };
        file.damage = file.walk().err();
        file
    }

    fn walk(&mut self) -> Result<(), Damage> {
        if let Some([b'I', b'I', 43, _] | [b'M', b'M', _, 43]) = self.bytes.get(..4) {
            self.obstacle = Some("image/tiff of the big kind");
            return Ok(());
        }
        if self.bytes.get(8..10) == Some(b"CR") {
            self.obstacle = Some("image/x-canon-cr2");
            return Ok(());
        }
        let file = directories::Tiff::open(self.bytes).ok_or(Damage::Malformed)?;
        let directory = file.first().ok_or(Damage::Truncated)?;
        let header = Header::read(directory)?;
        self.header = Some(header);
        self.profile = directory.get(PROFILE).map(directories::Value::bytes);
        self.obstacle = header.obstacle();
        if self.obstacle.is_none() {
            header.damage(self.bytes.len()).map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    fn picture(&self) -> Result<Raster, DecodeError> {
        let header = self
            .header
            .ok_or_else(|| DecodeError::damaged("there is no header"))?;
        let told = match header.place_of_numbers() {
            Some(place) => Told::as_grey(self.bytes, place),
            None => Told::plainly(self.bytes),
        };
        let decoder = Decoder::new(told).map_err(DecodeError::damaged)?;
        // Our own weight has spoken already.
        let mut bands = Bands::new(decoder.with_limits(Limits::unlimited()), &header)?;
        let mut narrow = Narrow::new(bands.samples(), &header);
        let mut canvas = Canvas::new(header.size, header.pixels());
        let row_bytes = bands.row_bytes();
        for band in 0..bands.count() {
            for row in bands.read(band)?.chunks_exact(row_bytes.max(1)) {
                canvas.push(narrow.row(row, header.size.0 as usize));
            }
        }
        canvas.finish()
    }
}

impl Form for Tiff<'_> {
    fn size(&self) -> Option<(u32, u32)> {
        self.header.map(|header| header.size)
    }

    fn exif(&self) -> Option<&[u8]> {
        Some(self.bytes)
    }

    fn obstacle(&self) -> Option<&'static str> {
        self.obstacle
    }

    fn damage(&self) -> Option<Damage> {
        self.damage
    }

    fn weight(&self, _edge: u16) -> u64 {
        let Some(header) = self.header else {
            return REST;
        };
        let decoding = if header.is_jpeg() {
            jpeg::weight(&header)
        } else {
            header
                .pixels()
                .weight(header.size)
                .saturating_add(header.chunk_weight())
                .saturating_add(Narrow::weight(header.size.0))
        };
        decoding
            .saturating_add(header.list_weight())
            .saturating_add(self.bytes.len() as u64)
            .saturating_add(REST)
    }

    fn profile(&self) -> Option<Cow<'_, [u8]>> {
        let profile = self.profile.filter(|profile| profile.len() <= LARGEST_PROFILE);
        profile.map(Cow::Borrowed)
    }

    fn decode(&self, _edge: u16, scratch: &mut Scratch) -> Result<Raster, DecodeError> {
        match self.header {
            Some(header) if header.is_jpeg() => jpeg::decode(&header, self.bytes, &mut scratch.scaled),
            _ => guarded(|| self.picture()),
        }
    }
}
