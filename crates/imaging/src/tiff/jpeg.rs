//! JPEG inside TIFF (Adobe Photoshop TIFF Technical Notes, 2002; TIFF Technical Note #2, 1995): each strip or tile is a JPEG
//! file, of which the tables may stand in the directory, once for all.

use jpeg_scale::{Header as JpegHeader, Limits, Planes, Sampling, read_header};

use super::header::{Chunk, Header, UNUSUAL_JPEG};
use crate::{
    form::{Damage, DecodeError},
    jpeg::Scaled,
    raster::{Colour, Plane, Raster},
};

/// All tables that there can be for eight bits take less.
const LARGEST_TABLES: usize = 4 << 10;

/// Pictures of 100 megapixels in tiles of 64 by 64 have fewer. Each has its header, and may have its tables.
const MOST_CHUNKS: usize = 1 << 15;

const BEGIN: [u8; 2] = [0xFF, 0xD8];
const END: [u8; 2] = [0xFF, 0xD9];

/// What is wrong with the strips or tiles, as far as can be said without looking into them.
pub(super) fn damage(header: &Header<'_>, length: usize) -> Option<Damage> {
    if tables(header).is_none() {
        return Some(Damage::Malformed);
    }
    let (mut count, mut sum) = (0, 0_u64);
    for chunk in header.chunks() {
        count += 1;
        sum += u64::from(chunk.length);
    }
    if count > MOST_CHUNKS {
        return Some(Damage::TooManyParts);
    }
    // Parts of the file that serve many strips would be read as often.
    (sum > length as u64).then_some(Damage::Malformed)
}

/// Bytes that the strips or tiles take on their way, and the picture where the tints are as large as the light.
pub(super) fn weight(header: &Header<'_>) -> u64 {
    let (width, height) = header.size;
    let picture = u64::from(width).saturating_mul(height.into());
    picture
        .saturating_mul(header.samples.into())
        .saturating_add(
            header
                .chunks()
                .map(|chunk| u64::from(chunk.length))
                .max()
                .unwrap_or(0),
        )
        .saturating_add(most_planes(header))
}

/// Bytes of a strip's or tile's planes, which are filled up to whole blocks of blocks.
fn most_planes(header: &Header<'_>) -> u64 {
    let padded = |edge: u32| u64::from(edge).next_multiple_of(16);
    padded(header.chunk.0)
        .saturating_mul(padded(header.chunk.1))
        .saturating_mul(header.samples.into())
}

/// The picture, all of its strips or tiles put together.
pub(super) fn decode(header: &Header<'_>, bytes: &[u8], scaled: &mut Scaled) -> Result<Raster, DecodeError> {
    let tables = tables(header).ok_or_else(|| DecodeError::damaged("the tables are no JPEG"))?;
    let limits = Limits {
        pixels: u64::MAX,
        bytes: most_planes(header),
    };
    let mut file = Vec::new();
    let mut piece = Planes::default();
    let mut picture: Option<Picture> = None;
    for chunk in header.chunks() {
        let (start, end) = (chunk.place as usize, chunk.place as usize + chunk.length as usize);
        let own = bytes.get(start..end).and_then(|own| own.strip_prefix(&BEGIN));
        let own = own.ok_or_else(|| DecodeError::damaged("a strip or tile is no JPEG"))?;
        file.clear();
        for part in [&BEGIN[..], tables, own] {
            file.extend_from_slice(part);
        }
        let found = read_header(&file).map_err(DecodeError::damaged)?;
        if found.unsupported.is_some() || found.progressive {
            return Err(DecodeError::Unsupported(UNUSUAL_JPEG));
        }
        if !fits(&found, &chunk) || u32::from(found.components) != header.samples {
            return Err(DecodeError::damaged("a strip or tile is another picture"));
        }
        let picture = match &mut picture {
            Some(picture) => picture,
            None => picture.insert(Picture::new(header, &found)?),
        };
        if picture.sampling != found.sampling {
            return Err(DecodeError::damaged("strips or tiles differ in their tints"));
        }
        scaled.decode_whole(&file, &limits, &mut piece)?;
        picture.lay(&piece, (chunk.left, chunk.top));
    }
    picture
        .map(|picture| picture.raster)
        .ok_or_else(|| DecodeError::damaged("there are no strips or tiles"))
}

/// The tables that all strips or tiles have in common, without begin and end.
fn tables<'a>(header: &Header<'a>) -> Option<&'a [u8]> {
    let Some(tables) = header.jpeg_tables() else {
        return Some(&[]);
    };
    // Zeros behind the end are nothing.
    let end = tables.iter().rposition(|&byte| byte != 0)?;
    let tables = tables.get(..=end)?.strip_prefix(&BEGIN)?.strip_suffix(&END)?;
    (tables.len() <= LARGEST_TABLES).then_some(tables)
}

/// Whether this is the picture of a strip or tile.
fn fits(found: &JpegHeader, chunk: &Chunk) -> bool {
    let (width, height) = (u32::from(found.width), u32::from(found.height));
    width == chunk.size.0 && (chunk.size.1..=chunk.most_rows).contains(&height)
}

/// A picture that is put together.
struct Picture {
    sampling: [Sampling; 4],
    /// How many pixels a sample stands for, across and down, in each plane.
    steps: Vec<(u32, u32)>,
    raster: Raster,
}

impl Picture {
    fn new(header: &Header<'_>, found: &JpegHeader) -> Result<Self, DecodeError> {
        let components = found.sampling.get(..found.components.into()).unwrap_or_default();
        let most = |of: fn(&Sampling) -> u8| components.iter().map(of).max().unwrap_or(1);
        let (widest, highest) = (most(|each| each.horizontal), most(|each| each.vertical));
        let steps: Vec<_> = components
            .iter()
            .map(|each| {
                let across = u32::from(widest) / u32::from(each.horizontal.max(1));
                let down = u32::from(highest) / u32::from(each.vertical.max(1));
                (across.max(1), down.max(1))
            })
            .collect();
        // Else a sample would belong to two strips or tiles.
        let is_cut = steps.iter().any(|&(across, down)| {
            !header.chunk.0.is_multiple_of(across) && header.chunk.0 < header.size.0
                || !header.chunk.1.is_multiple_of(down) && header.chunk.1 < header.size.1
        });
        let colour = header.colour_of_planes();
        if is_cut || colour == Colour::Rgb && steps.iter().any(|&step| step != (1, 1)) {
            return Err(DecodeError::Unsupported(UNUSUAL_JPEG));
        }
        let (width, height) = header.size;
        let plane = |&(across, down): &(u32, u32)| {
            let size = (width.div_ceil(across), height.div_ceil(down));
            let part = |length: u32, step: u32| (f64::from(length) / f64::from(step)).max(1.0);
            Plane {
                covered: (part(width, across), part(height, down)),
                ..Plane::whole(size, vec![0; size.0 as usize * size.1 as usize])
            }
        };
        Ok(Self {
            sampling: found.sampling,
            raster: Raster {
                colour,
                planes: steps.iter().map(plane).collect(),
            },
            steps,
        })
    }

    /// Lays a strip or tile to its place. What of it lies beyond the picture is left out.
    fn lay(&mut self, piece: &Planes, (left, top): (u32, u32)) {
        let planes = self.raster.planes.iter_mut().zip(&self.steps).zip(&piece.planes);
        for ((plane, &(across, down)), piece) in planes {
            let (left, top) = ((left / across) as usize, (top / down) as usize);
            let width = plane.width as usize;
            let rows = plane.samples.chunks_exact_mut(width.max(1)).skip(top);
            for (to, y) in rows.zip(0..piece.height) {
                let from = piece.row(y);
                let to = to.get_mut(left..).unwrap_or_default();
                for (to, from) in to.iter_mut().zip(from) {
                    *to = *from;
                }
            }
        }
    }
}
