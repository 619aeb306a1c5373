//! JPEG compression in TIFF (Adobe Photoshop TIFF Technical Notes, 2002; TIFF Technical Note #2, 1995): each strip or
//! tile is a JPEG stream, whose tables may be shared through the directory.

use jpeg_scale::{Header as JpegHeader, Limits, Planes, Sampling, read_header};

use super::header::{Chunk, Header, UNUSUAL_JPEG};
use crate::{
    error::{Damage, DecodeError},
    raster::{ColourModel, Plane, Raster},
    scaled_jpeg::ScaledJpegDecoder,
};

/// All tables that samples of eight bits can use take less.
const MAX_TABLE_BYTES: usize = 4 << 10;

/// An image of 100 megapixels in tiles of 64 × 64 has fewer. Each has a header, and may have tables of its own.
const MAX_CHUNKS: usize = 1 << 15;

const SOI: [u8; 2] = [0xFF, 0xD8];
const EOI: [u8; 2] = [0xFF, 0xD9];

/// Checks the shared tables, and the number and lengths of the strips or tiles in a file of this length.
pub(super) fn validate(header: &Header<'_>, file_length: usize) -> Result<(), Damage> {
    if shared_tables(header).is_none() {
        return Err(Damage::Malformed);
    }
    let (mut count, mut total) = (0, 0_u64);
    for chunk in header.chunks() {
        count += 1;
        total += u64::from(chunk.length);
    }
    if count > MAX_CHUNKS {
        return Err(Damage::TooManyParts);
    }
    // Strips that share bytes of the file would be decoded many times.
    if total > file_length as u64 {
        return Err(Damage::Malformed);
    }
    Ok(())
}

/// Upper bound of the memory in bytes: the image without subsampling, the longest stream and the planes of a strip or
/// tile.
pub(super) fn max_memory_bytes(header: &Header<'_>) -> u64 {
    let (width, height) = header.size;
    let pixels = u64::from(width).saturating_mul(height.into());
    pixels
        .saturating_mul(header.samples.into())
        .saturating_add(
            header
                .chunks()
                .map(|chunk| u64::from(chunk.length))
                .max()
                .unwrap_or(0),
        )
        .saturating_add(max_plane_bytes(header))
}

/// Upper bound of the planes of a strip or tile in bytes, padded to whole MCUs.
fn max_plane_bytes(header: &Header<'_>) -> u64 {
    let padded = |edge: u32| u64::from(edge).next_multiple_of(16);
    padded(header.chunk_size.0)
        .saturating_mul(padded(header.chunk_size.1))
        .saturating_mul(header.samples.into())
}

/// Decodes all strips or tiles and assembles the image.
pub(super) fn decode(
    header: &Header<'_>,
    bytes: &[u8],
    decoder: &mut ScaledJpegDecoder,
) -> Result<Raster, DecodeError> {
    let tables =
        shared_tables(header).ok_or_else(|| DecodeError::damaged("JPEGTables is not a JPEG stream"))?;
    let limits = Limits {
        pixels: u64::MAX,
        bytes: max_plane_bytes(header),
    };
    let mut stream = Vec::new();
    let mut planes = Planes::default();
    let mut assembly: Option<Assembly> = None;
    for chunk in header.chunks() {
        let (start, end) = (
            chunk.offset as usize,
            chunk.offset as usize + chunk.length as usize,
        );
        let own = bytes.get(start..end).and_then(|own| own.strip_prefix(&SOI));
        let own = own.ok_or_else(|| DecodeError::damaged("a strip or tile is not a JPEG stream"))?;
        stream.clear();
        for part in [&SOI[..], tables, own] {
            stream.extend_from_slice(part);
        }
        let jpeg = read_header(&stream).map_err(DecodeError::damaged)?;
        if jpeg.unsupported.is_some() || jpeg.progressive {
            return Err(DecodeError::Unsupported(UNUSUAL_JPEG));
        }
        if !matches_chunk(&jpeg, &chunk) || u32::from(jpeg.components) != header.samples {
            return Err(DecodeError::damaged(
                "the JPEG header of a strip or tile differs from the directory",
            ));
        }
        let assembly = match &mut assembly {
            Some(assembly) => assembly,
            None => assembly.insert(Assembly::new(header, &jpeg)?),
        };
        if assembly.sampling != jpeg.sampling {
            return Err(DecodeError::damaged(
                "strips or tiles differ in their chroma subsampling",
            ));
        }
        decoder.decode_complete(&stream, &limits, &mut planes)?;
        assembly.insert_chunk(&planes, (chunk.left, chunk.top));
    }
    assembly
        .map(|assembly| assembly.raster)
        .ok_or_else(|| DecodeError::damaged("the image has no strips or tiles"))
}

/// Tables that all strips or tiles share, without SOI and EOI.
fn shared_tables<'a>(header: &Header<'a>) -> Option<&'a [u8]> {
    let Some(tables) = header.jpeg_tables() else {
        return Some(&[]);
    };
    // Zeros after EOI are ignored.
    let end = tables.iter().rposition(|&byte| byte != 0)?;
    let tables = tables.get(..=end)?.strip_prefix(&SOI)?.strip_suffix(&EOI)?;
    (tables.len() <= MAX_TABLE_BYTES).then_some(tables)
}

/// Returns true if a JPEG header has the size of its strip or tile.
fn matches_chunk(jpeg: &JpegHeader, chunk: &Chunk) -> bool {
    let (width, height) = (u32::from(jpeg.width), u32::from(jpeg.height));
    width == chunk.size.0 && (chunk.size.1..=chunk.max_rows).contains(&height)
}

/// Image that is assembled from its strips or tiles.
struct Assembly {
    sampling: [Sampling; 4],
    /// Pixels that a sample covers, across and down, in each plane.
    steps: Vec<(u32, u32)>,
    raster: Raster,
}

impl Assembly {
    fn new(header: &Header<'_>, jpeg: &JpegHeader) -> Result<Self, DecodeError> {
        let components = jpeg.sampling.get(..jpeg.components.into()).unwrap_or_default();
        let max = |factor: fn(&Sampling) -> u8| components.iter().map(factor).max().unwrap_or(1);
        let (max_horizontal, max_vertical) = (
            max(|component| component.horizontal),
            max(|component| component.vertical),
        );
        let steps: Vec<_> = components
            .iter()
            .map(|component| {
                let across = u32::from(max_horizontal) / u32::from(component.horizontal.max(1));
                let down = u32::from(max_vertical) / u32::from(component.vertical.max(1));
                (across.max(1), down.max(1))
            })
            .collect();
        // A sample must not cover pixels of two strips or tiles.
        let splits_samples = steps.iter().any(|&(across, down)| {
            !header.chunk_size.0.is_multiple_of(across) && header.chunk_size.0 < header.size.0
                || !header.chunk_size.1.is_multiple_of(down) && header.chunk_size.1 < header.size.1
        });
        let colour_model = header.jpeg_colour_model();
        let is_subsampled_rgb = colour_model == ColourModel::Rgb && steps.iter().any(|&step| step != (1, 1));
        if splits_samples || is_subsampled_rgb {
            return Err(DecodeError::Unsupported(UNUSUAL_JPEG));
        }
        let (width, height) = header.size;
        let plane = |&(across, down): &(u32, u32)| {
            let size = (width.div_ceil(across), height.div_ceil(down));
            let covered = |length: u32, step: u32| (f64::from(length) / f64::from(step)).max(1.0);
            Plane {
                covered: (covered(width, across), covered(height, down)),
                ..Plane::new(size, vec![0; size.0 as usize * size.1 as usize])
            }
        };
        Ok(Self {
            sampling: jpeg.sampling,
            raster: Raster {
                colour_model,
                planes: steps.iter().map(plane).collect(),
            },
            steps,
        })
    }

    /// Copies the planes of a strip or tile to their place. Padding beyond the image is left out.
    fn insert_chunk(&mut self, chunk: &Planes, (left, top): (u32, u32)) {
        let planes = self.raster.planes.iter_mut().zip(&self.steps).zip(&chunk.planes);
        for ((plane, &(across, down)), chunk) in planes {
            let (left, top) = ((left / across) as usize, (top / down) as usize);
            let width = plane.width as usize;
            let rows = plane.samples.chunks_exact_mut(width.max(1)).skip(top);
            for (to, y) in rows.zip(0..chunk.height) {
                let from = chunk.row(y);
                let to = to.get_mut(left..).unwrap_or_default();
                for (to, from) in to.iter_mut().zip(from) {
                    *to = *from;
                }
            }
        }
    }
}
