use std::ops::Range;

use super::{jpeg, palette::Palette};
use crate::{
    canvas::Pixels,
    exif::tiff::{Directory, Value},
    form::Damage,
    raster::Colour,
};

const KIND: u16 = 254;
const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const STRIPS: u16 = 273;
const SAMPLES: u16 = 277;
const STRIP_ROWS: u16 = 278;
const STRIP_LENGTHS: u16 = 279;
const PLANES: u16 = 284;
const PREDICTOR: u16 = 317;
const COLOURS: u16 = 320;
const JPEG_TABLES: u16 = 347;
const TILE_WIDTH: u16 = 322;
const TILE_HEIGHT: u16 = 323;
const TILES: u16 = 324;
const TILE_LENGTHS: u16 = 325;
const DIRECTORIES: u16 = 330;
const EXTRA: u16 = 338;
const FORMAT: u16 = 339;
const DNG_VERSION: u16 = 50706;

const WHITE_IS_ZERO: u32 = 0;
const BLACK_IS_ZERO: u32 = 1;
const RGB: u32 = 2;
const PALETTE: u32 = 3;
const INKS: u32 = 5;
const LIGHT_AND_TINTS: u32 = 6;
const COLOUR_FILTERS: u32 = 32803;
const LINEAR_RAW: u32 = 34892;

/// JPEG as the technical notes have it, not as the specification has.
const JPEG: u32 = 7;

/// What a picture is called whose JPEGs are not read here.
pub(super) const UNUSUAL_JPEG: &str = "image/tiff with JPEG of an unusual kind inside";

/// All tags that tell how pixels are stored are below this one.
const PRIVATE: u16 = 532;

/// The tags that tell how pixels are stored, and are numbers.
const PIXELS: [u16; 19] = [
    WIDTH,
    HEIGHT,
    BITS,
    COMPRESSION,
    PHOTOMETRIC,
    FILL_ORDER,
    STRIPS,
    SAMPLES,
    STRIP_ROWS,
    STRIP_LENGTHS,
    PLANES,
    PREDICTOR,
    COLOURS,
    TILE_WIDTH,
    TILE_HEIGHT,
    TILES,
    TILE_LENGTHS,
    EXTRA,
    FORMAT,
];

/// No program makes tiles with longer edges.
const LARGEST_TILE: u32 = 1 << 16;

/// A strip or tile: where it is in the file and in the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    pub(super) place: u32,
    pub(super) length: u32,
    pub(super) left: u32,
    pub(super) top: u32,
    /// Columns and rows, also those of a tile that lie beyond the picture.
    pub(super) size: (u32, u32),
    /// Rows that it may have: the last strip may be filled up, to whole blocks of blocks too.
    pub(super) most_rows: u32,
}

/// Pixels of tiles that a picture may have beside its own: more than a thin one needs in large tiles.
const MOST_BEYOND: u64 = 1 << 26;

/// What the first directory says about its picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a> {
    pub(super) size: (u32, u32),
    /// Bits of a sample.
    pub(super) bits: u32,
    /// Samples of a pixel, those that mean nothing here too.
    pub(super) samples: u32,
    /// Width and height of a strip or tile.
    pub(super) chunk: (u32, u32),
    photometric: u32,
    /// What the first sample beyond the colours is.
    extra: Option<u32>,
    directory: Directory<'a>,
}

impl<'a> Header<'a> {
    pub(super) fn read(directory: Directory<'a>) -> Result<Self, Damage> {
        if PIXELS
            .into_iter()
            .chain([JPEG_TABLES])
            .any(|tag| directory.is_cut_at(tag))
        {
            return Err(Damage::Truncated);
        }
        // What is judged and weighed here has to be what the decoder reads, which knows more kinds of numbers.
        if PIXELS.into_iter().any(|tag| directory.is_obscure(tag)) {
            return Err(Damage::Malformed);
        }
        if directory.is_crowded() {
            return Err(Damage::TooManyParts);
        }
        if directory.is_ambiguous(PRIVATE) {
            return Err(Damage::Malformed);
        }
        let number = |tag: u16| directory.get(tag)?.integer();
        let size = number(WIDTH).zip(number(HEIGHT)).ok_or(Damage::Malformed)?;
        let chunk = match number(TILE_WIDTH) {
            Some(width) => (width, number(TILE_HEIGHT).ok_or(Damage::Malformed)?),
            None => (size.0, number(STRIP_ROWS).unwrap_or(u32::MAX).min(size.1)),
        };
        Ok(Self {
            size,
            bits: number(BITS).unwrap_or(1),
            samples: number(SAMPLES).unwrap_or(1),
            chunk,
            photometric: number(PHOTOMETRIC).ok_or(Damage::Malformed)?,
            extra: number(EXTRA),
            directory,
        })
    }

    /// What keeps a picture of this kind from being read here.
    pub(super) fn obstacle(&self) -> Option<&'static str> {
        let number = |tag: u16| self.directory.get(tag)?.integer();
        let has = |tag: u16| self.directory.get(tag).is_some();
        let is_preview = number(KIND).is_some_and(|kind| kind & 1 == 1);
        if has(DNG_VERSION) {
            return Some("image/x-adobe-dng");
        }
        // The first picture of other cameras' raw files is a small one for a display.
        if is_preview && has(DIRECTORIES) || matches!(self.photometric, COLOUR_FILTERS | LINEAR_RAW) {
            return Some("image/tiff of a camera's raw data");
        }
        match number(COMPRESSION).unwrap_or(1) {
            // None, LZW, Deflate by its two numbers, PackBits.
            1 | 5 | 8 | 32_946 | 32_773 => {}
            JPEG => return self.obstacle_to_jpeg(),
            6 | 99 => return Some(UNUSUAL_JPEG),
            _ => return Some("image/tiff in an unusual compression"),
        }
        // Whole numbers, or of no kind.
        if number(FORMAT).is_some_and(|format| !matches!(format, 1 | 4)) {
            return Some("image/tiff with samples other than whole numbers");
        }
        match (self.photometric, self.samples, self.bits) {
            (WHITE_IS_ZERO | BLACK_IS_ZERO, 1, 1 | 2 | 4 | 8 | 16)
            | (WHITE_IS_ZERO | BLACK_IS_ZERO, 2..=4, 8 | 16)
            | (RGB, 3..=6, 8 | 16)
            | (INKS, 4, 8 | 16)
            | (PALETTE, 1, 1 | 2 | 4 | 8) => {}
            (WHITE_IS_ZERO | BLACK_IS_ZERO | RGB | INKS | PALETTE, ..) => {
                return Some("image/tiff with an unusual number of bits or colours");
            }
            _ => return Some("image/tiff in an unusual colour space"),
        }
        let is_filled_backwards = number(FILL_ORDER) == Some(2);
        let is_inverted_with_alpha = self.photometric == WHITE_IS_ZERO && self.samples > 1;
        let is_predicted = number(PREDICTOR).is_some_and(|predictor| predictor != 1);
        // Rows of tiles that begin within a byte; the last one may end there.
        let is_cut =
            self.chunk.0 < self.size.0 && !(u64::from(self.chunk.0) * u64::from(self.bits)).is_multiple_of(8);
        let is_odd = self.bits < 8 && (is_cut || is_predicted);
        (is_odd || is_filled_backwards || is_inverted_with_alpha)
            .then_some("image/tiff with an unusual order of bits")
    }

    /// What keeps a picture of JPEGs from being read here.
    fn obstacle_to_jpeg(&self) -> Option<&'static str> {
        match (self.photometric, self.samples, self.bits) {
            (BLACK_IS_ZERO, 1, 8) | (RGB | LIGHT_AND_TINTS, 3, 8) if !self.is_apart() => None,
            _ => Some(UNUSUAL_JPEG),
        }
    }

    /// What is wrong with the places of its pixels in a file of this length.
    pub(super) fn damage(&self, length: usize) -> Option<Damage> {
        if self.size.0 == 0 || self.size.1 == 0 {
            return Some(Damage::NoPixels);
        }
        let sane = |edge: u32, whole: u32| (1..=whole.max(LARGEST_TILE)).contains(&edge);
        if !sane(self.chunk.0, self.size.0) || !sane(self.chunk.1, self.size.1) {
            return Some(Damage::Malformed);
        }
        if self.photometric == PALETTE && self.palette().is_none() {
            return Some(Damage::Malformed);
        }
        let (places, lengths) = match (self.directory.get(STRIPS), self.directory.get(TILES)) {
            (Some(places), None) => (places, self.directory.get(STRIP_LENGTHS)),
            (None, Some(places)) => (places, self.directory.get(TILE_LENGTHS)),
            _ => return Some(Damage::Malformed),
        };
        let Some(lengths) = lengths else {
            return Some(Damage::Malformed);
        };
        let times = if self.is_apart() { self.samples } else { 1 };
        let of_a_plane =
            u64::from(self.size.0.div_ceil(self.chunk.0)) * u64::from(self.size.1.div_ceil(self.chunk.1));
        let chunks = of_a_plane * u64::from(times);
        let pixels = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
        // What lies beyond the picture is decoded all the same.
        let most = pixels(self.size).saturating_mul(4).saturating_add(MOST_BEYOND);
        if of_a_plane.saturating_mul(pixels(self.chunk)) > most {
            return Some(Damage::Malformed);
        }
        if places.integers().count() as u64 != chunks || lengths.integers().count() as u64 != chunks {
            return Some(Damage::Malformed);
        }
        let parts = || {
            let ends = |(place, part)| u64::from(place)..u64::from(place) + u64::from(part);
            places.integers().zip(lengths.integers()).map(ends)
        };
        if parts().any(|part: Range<u64>| part.end > length as u64) {
            return Some(Damage::Truncated);
        }
        // The decoder is told another number there: it must not be a part of the picture.
        if let Some(place) = self.place_of_numbers()
            && parts().any(|part| part.contains(&(place as u64)))
        {
            return Some(Damage::Malformed);
        }
        if self.is_jpeg() {
            return jpeg::damage(self, length);
        }
        None
    }

    /// Whether its strips or tiles are JPEG files.
    pub(super) fn is_jpeg(&self) -> bool {
        self.directory.get(COMPRESSION).and_then(Value::integer) == Some(JPEG)
    }

    /// What JPEG files in strips or tiles leave out.
    pub(super) fn jpeg_tables(&self) -> Option<&'a [u8]> {
        self.directory.get(JPEG_TABLES).map(Value::bytes)
    }

    /// What the planes of JPEG files in it mean.
    pub(super) fn colour_of_planes(&self) -> Colour {
        match self.photometric {
            RGB => Colour::Rgb,
            LIGHT_AND_TINTS => Colour::Ycc,
            _ => Colour::Grey,
        }
    }

    /// Its strips or tiles, if all samples of a pixel stand together.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Chunk> + '_ {
        let is_tiled = self.directory.get(TILES).is_some();
        let tags = if is_tiled {
            [TILES, TILE_LENGTHS]
        } else {
            [STRIPS, STRIP_LENGTHS]
        };
        let [places, lengths] = tags.map(|tag| self.directory.get(tag).into_iter().flat_map(Value::integers));
        let (width, height) = self.chunk;
        let across = self.size.0.div_ceil(width.max(1)).max(1);
        places
            .zip(lengths)
            .zip(0_u32..)
            .map(move |((place, length), number)| {
                let (left, top) = (
                    (number % across).saturating_mul(width),
                    (number / across).saturating_mul(height),
                );
                let left_over = self.size.1.saturating_sub(top);
                let (rows, most_rows) = if is_tiled || left_over > height {
                    (height, height)
                } else {
                    (left_over, height.next_multiple_of(16))
                };
                Chunk {
                    place,
                    length,
                    left,
                    top,
                    size: (width, rows),
                    most_rows,
                }
            })
    }

    /// Whether each of a pixel's samples stands in a plane of its own.
    pub(super) fn is_apart(&self) -> bool {
        let planes = self.directory.get(PLANES).and_then(Value::integer);
        self.samples > 1 && planes == Some(2)
    }

    /// The colours that its samples are numbers of.
    pub(super) fn palette(&self) -> Option<Palette> {
        if self.photometric != PALETTE {
            return None;
        }
        Palette::read(self.bits, self.directory.get(COLOURS)?.integers())
    }

    /// Where the file says that its samples are numbers of colours, if it does.
    pub(super) fn place_of_numbers(&self) -> Option<usize> {
        let place = self.directory.place_of_digit(PHOTOMETRIC);
        place.filter(|_| self.photometric == PALETTE)
    }

    /// Samples of a pixel that its colour is made of.
    pub(super) fn stored(&self) -> usize {
        if self.photometric == PALETTE {
            1
        } else {
            self.pixels().samples()
        }
    }

    /// How its pixels are to be understood: of all samples of a pixel, the first ones are these, or a number of them.
    pub(super) fn pixels(&self) -> Pixels {
        const ASSOCIATED: u32 = 1;
        const UNASSOCIATED: u32 = 2;
        match (self.photometric, self.samples, self.extra) {
            (INKS, ..) => Pixels::Cmyk,
            (RGB, 4.., Some(ASSOCIATED)) => Pixels::RgbaPremultiplied,
            (RGB, 4.., Some(UNASSOCIATED)) => Pixels::Rgba,
            (RGB | PALETTE, ..) => Pixels::Rgb,
            (_, 2.., Some(UNASSOCIATED)) => Pixels::GreyAlpha,
            _ => Pixels::Grey,
        }
    }

    /// Bytes of the lists of strips and tiles.
    pub(super) fn list_weight(&self) -> u64 {
        /// The decoder has each value in 32 bytes first, and then in 8; of two lists, one is done by the time.
        const OF_A_VALUE: u64 = 32 + 2 * 8 + 8;
        (self.directory.longest(PRIVATE) as u64).saturating_mul(OF_A_VALUE)
    }

    /// Bytes of all samples of a strip, or of a tile and the row of tiles that it belongs to.
    pub(super) fn chunk_weight(&self) -> u64 {
        let pixel = u64::from(self.samples) * u64::from(self.bits.div_ceil(8));
        let own = u64::from(self.chunk.0).saturating_mul(self.chunk.1.into());
        let row = u64::from(self.size.0).saturating_mul(self.chunk.1.min(self.size.1).into());
        own.saturating_add(row).saturating_mul(pixel)
    }
}
