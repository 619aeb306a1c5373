//! Encoder of planes: baseline, with the standard's tables.

mod bits;
mod tables;

use bits::{Coder, EntropyWriter};
use tables::{
    CHROMINANCE, CHROMINANCE_AC, CHROMINANCE_DC, HuffmanDefinition, LUMINANCE, LUMINANCE_AC, LUMINANCE_DC,
};

use crate::backend::{Backend, Instructions, Work};
use crate::fdct::{BlockPair, Divisors, QuantizedBlock};
use crate::planes::{Plane, Planes};

/// MCUs whose blocks are transformed before they are written.
const BATCH: usize = 8;

/// Reasons for which planes cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The number of planes is neither one nor three.
    #[error("an image has one or three planes, not {0}")]
    Planes(usize),
    /// Width or height is zero or above 65 535.
    #[error("a JPEG cannot be {width} x {height}: width and height are from 1 to 65535")]
    Size {
        /// Width of the first plane.
        width: usize,
        /// Height of the first plane.
        height: usize,
    },
    /// A plane has fewer samples than its size requires, or the chroma planes differ in size or have neither
    /// the width (height) of the first plane nor half of it, rounded up.
    #[error(
        "a plane has too few samples, or a chroma plane has neither full nor half the size of the first plane"
    )]
    Plane,
}

/// Encodes Y, Cb, Cr planes (or Y alone) as baseline JPEG files.
///
/// The chroma subsampling of the file (4:4:4, 4:2:2, 4:4:0, 4:2:0) follows from the sizes of the planes.
/// Quantization tables are the standard's, scaled as libjpeg does; Huffman tables are the standard's.
pub struct Encoder {
    backend: Backend,
    steps: [[u8; 64]; 2],
    divisors: [Divisors; 2],
    coders: [Coder; 2],
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder")
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder for a quality from 1 to 100; others are clamped.
    pub fn new(quality: u8) -> Self {
        Self::with_backend(quality, Backend::detect())
    }

    /// An encoder with a given backend. All backends give the same files.
    pub fn with_backend(quality: u8, backend: Backend) -> Self {
        let steps = [
            tables::steps(&LUMINANCE, quality),
            tables::steps(&CHROMINANCE, quality),
        ];
        Self {
            backend,
            divisors: [Divisors::new(&steps[0]), Divisors::new(&steps[1])],
            steps,
            coders: [
                Coder::new(&LUMINANCE_DC, &LUMINANCE_AC),
                Coder::new(&CHROMINANCE_DC, &CHROMINANCE_AC),
            ],
        }
    }

    /// Encodes an image.
    ///
    /// # Errors
    /// [`EncodeError`] if the planes are not those of an image.
    pub fn encode(&self, image: &Planes) -> Result<Vec<u8>, EncodeError> {
        let layout = McuLayout::new(&image.planes)?;
        let mut file = Vec::with_capacity(1024 + layout.width * layout.height / 3);
        self.write_headers(&mut file, &layout);
        let mut file = self.backend.run(Scan {
            encoder: self,
            layout: &layout,
            file,
        });
        file.extend([0xff, 0xd9]);
        Ok(file)
    }

    fn write_headers(&self, file: &mut Vec<u8>, layout: &McuLayout<'_>) {
        file.extend([0xff, 0xd8]);
        // JFIF 1.1 with square pixels.
        segment(file, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        let table_count = layout.components.len().min(2);
        for (slot, steps) in (0u8..).zip(&self.steps[..table_count]) {
            segment(file, 0xdb, &[&[slot], &steps[..]].concat());
        }
        let size = |length: usize| (length as u16).to_be_bytes();
        let mut frame = vec![8];
        frame.extend(size(layout.height));
        frame.extend(size(layout.width));
        frame.push(layout.components.len() as u8);
        let mut scan = vec![layout.components.len() as u8];
        for (index, component) in (0u8..).zip(&layout.components) {
            let table = index.min(1);
            frame.extend([
                index + 1,
                (component.horizontal << 4 | component.vertical) as u8,
                table,
            ]);
            scan.extend([index + 1, table << 4 | table]);
        }
        segment(file, 0xc0, &frame);
        let definitions = [[LUMINANCE_DC, LUMINANCE_AC], [CHROMINANCE_DC, CHROMINANCE_AC]];
        for (slot, table) in (0u8..).zip(&definitions[..table_count]) {
            for (class, HuffmanDefinition { counts, symbols }) in (0u8..).zip(table) {
                segment(file, 0xc4, &[&[class << 4 | slot], &counts[..], symbols].concat());
            }
        }
        scan.extend([0, 63, 0]);
        segment(file, 0xda, &scan);
    }
}

fn segment(file: &mut Vec<u8>, marker: u8, content: &[u8]) {
    file.extend([0xff, marker]);
    file.extend((content.len() as u16 + 2).to_be_bytes());
    file.extend_from_slice(content);
}

struct ComponentPlane<'a> {
    plane: &'a Plane,
    horizontal: usize,
    vertical: usize,
}

struct McuLayout<'a> {
    width: usize,
    height: usize,
    components: Vec<ComponentPlane<'a>>,
    /// MCUs across and down the image.
    columns: usize,
    rows: usize,
}

impl<'a> McuLayout<'a> {
    fn new(planes: &'a [Plane]) -> Result<Self, EncodeError> {
        let (first, others) = match planes {
            [first] => (first, None),
            [first, second, third] => (first, Some([second, third])),
            _ => return Err(EncodeError::Planes(planes.len())),
        };
        let (width, height) = (first.width, first.height);
        if !(1..=65_535).contains(&width) || !(1..=65_535).contains(&height) {
            return Err(EncodeError::Size { width, height });
        }
        let is_complete = |plane: &Plane| {
            let before_last = plane.stride.checked_mul(plane.height - 1);
            let needed = before_last.and_then(|length| length.checked_add(plane.width));
            plane.width <= plane.stride && needed.is_some_and(|length| length <= plane.data.len())
        };
        let factor = |first: usize, other: usize| match other {
            _ if other == first => Ok(1),
            _ if other == first.div_ceil(2) => Ok(2),
            _ => Err(EncodeError::Plane),
        };
        let (mut horizontal, mut vertical) = (1, 1);
        if let Some([second, third]) = others {
            horizontal = factor(width, second.width)?;
            vertical = factor(height, second.height)?;
            if (second.width, second.height) != (third.width, third.height) {
                return Err(EncodeError::Plane);
            }
        }
        if !planes.iter().all(is_complete) {
            return Err(EncodeError::Plane);
        }
        let mut components = vec![ComponentPlane {
            plane: first,
            horizontal,
            vertical,
        }];
        for plane in others.into_iter().flatten() {
            components.push(ComponentPlane {
                plane,
                horizontal: 1,
                vertical: 1,
            });
        }
        let columns = width.div_ceil(8 * horizontal);
        let rows = height.div_ceil(8 * vertical);
        Ok(Self {
            width,
            height,
            components,
            columns,
            rows,
        })
    }
}

/// All MCUs of an image.
struct Scan<'a> {
    encoder: &'a Encoder,
    layout: &'a McuLayout<'a>,
    file: Vec<u8>,
}

impl Work for Scan<'_> {
    type Output = Vec<u8>;

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) -> Vec<u8> {
        let Self {
            encoder,
            layout,
            file,
        } = self;
        let mut writer = EntropyWriter::new(file);
        let mut predictions = [0; 3];
        // For each row of blocks of an MCU of all components, the blocks of a batch: at most six rows of 2 ×
        // BATCH blocks.
        let mut blocks = vec![[const { [QuantizedBlock::EMPTY; 2] }; BATCH]; 6];
        for row in 0..layout.rows {
            for start in (0..layout.columns).step_by(BATCH) {
                let count = BATCH.min(layout.columns - start);
                let mut line = 0;
                for (index, component) in layout.components.iter().enumerate() {
                    let divisors = &encoder.divisors[index.min(1)];
                    let width = count * component.horizontal;
                    for y in 0..component.vertical {
                        let top = (row * component.vertical + y) * 8;
                        for (at, pair) in blocks[line].iter_mut().take(width.div_ceil(2)).enumerate() {
                            let left = (start * component.horizontal + at * 2) * 8;
                            encoder.backend.transform_forward(
                                &pair_at(component.plane, left, top),
                                divisors,
                                pair,
                            );
                        }
                        line += 1;
                    }
                }
                for mcu in 0..count {
                    let mut line = 0;
                    for (index, component) in layout.components.iter().enumerate() {
                        let coder = &encoder.coders[index.min(1)];
                        for _ in 0..component.vertical {
                            for x in 0..component.horizontal {
                                let block_index = mcu * component.horizontal + x;
                                let block = &blocks[line].as_flattened()[block_index];
                                writer.block(block, coder, &mut predictions[index]);
                            }
                            line += 1;
                        }
                    }
                }
            }
        }
        writer.finish()
    }
}

/// Samples of two blocks. Outside of the plane, its last column and row are repeated.
#[inline(always)]
fn pair_at(plane: &Plane, left: usize, top: usize) -> BlockPair {
    let mut pair: BlockPair = [[0; 16]; 8];
    for (y, to) in pair.iter_mut().enumerate() {
        let row = plane.row((top + y).min(plane.height - 1));
        if let Some(samples) = row.get(left..).and_then(|rest| rest.first_chunk::<16>()) {
            *to = *samples;
        } else {
            let last = row.len() - 1;
            for (x, to) in to.iter_mut().enumerate() {
                *to = row[(left + x).min(last)];
            }
        }
    }
    pair
}
