//! The decoder: limits, scales, and memory that is reused from picture to picture.

use crate::backend::Backend;
use crate::error::{Corrupt, Damage, Error};
use crate::header::{Prelude, Read};
use crate::huffman::Tables;
use crate::idct;
use crate::planes::Planes;
use crate::scan::{Channel, Group, Scan};
use crate::window::{self, Bytes};

/// How large the decoded picture is, as a part of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scale {
    /// 1/8: the means of blocks.
    Eighth,
    /// 2/8.
    Quarter,
    /// 3/8.
    ThreeEighths,
    /// 4/8.
    Half,
    /// 8/8.
    Full,
}

impl Scale {
    /// All scales, smallest first.
    pub const ALL: [Self; 5] = [
        Self::Eighth,
        Self::Quarter,
        Self::ThreeEighths,
        Self::Half,
        Self::Full,
    ];

    /// The N of N/8.
    pub const fn eighths(self) -> usize {
        match self {
            Self::Eighth => 1,
            Self::Quarter => 2,
            Self::ThreeEighths => 3,
            Self::Half => 4,
            Self::Full => 8,
        }
    }

    /// What a length of the original becomes, rounded up.
    pub const fn apply(self, length: usize) -> usize {
        (length * self.eighths()).div_ceil(8)
    }

    /// The smallest scale that leaves a picture's longer side at least as long as this, or full size.
    pub fn reaching(longer_side: usize, wanted: usize) -> Self {
        let reaches = |scale: &Self| scale.apply(longer_side) >= wanted;
        Self::ALL.into_iter().find(reaches).unwrap_or(Self::Full)
    }
}

/// What a caller is willing to decode; judged by the header, before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the original.
    pub pixels: u64,
    /// Bytes of the decoded planes, padding included.
    pub bytes: u64,
}

impl Default for Limits {
    /// 256 megapixels, 512 MiB.
    fn default() -> Self {
        Self {
            pixels: 256_000_000,
            bytes: 512 << 20,
        }
    }
}

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded {
    /// The picture.
    pub planes: Planes,
    /// The first thing that was wrong with the data, if anything was. What could not be read is mid-grey.
    pub damage: Option<Damage>,
}

/// Decodes baseline JPEG files at a scale.
///
/// Keeps its tables and working memory (some 100 KiB) between pictures; one decoder serves one thread.
pub struct Decoder {
    backend: Backend,
    window: Box<Bytes>,
    groups: Vec<Group>,
    /// The look-up tables of recent pictures: most files of a camera share theirs.
    tables: Vec<Tables>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder that uses the best instructions that this CPU has.
    pub fn new() -> Self {
        Self::with_backend(Backend::detect())
    }

    /// A decoder that uses certain instructions. The planes are the same with all of them.
    pub fn with_backend(backend: Backend) -> Self {
        Self {
            backend,
            window: window::bytes(),
            groups: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// Decodes a file into new planes.
    ///
    /// # Errors
    /// As [`decode_into`](Self::decode_into).
    pub fn decode(&mut self, bytes: &[u8], scale: Scale, limits: &Limits) -> Result<Decoded, Error> {
        let mut planes = Planes::default();
        let damage = self.decode_into(bytes, scale, limits, &mut planes)?;
        Ok(Decoded { planes, damage })
    }

    /// Decodes a file into planes whose memory is reused, which spares the page faults of new memory.
    ///
    /// Returns what was wrong with the data, if anything was. After an error the planes have no meaning.
    /// Whatever follows the picture's data in the file is not looked at.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for what another decoder has to read, [`Error::Limit`] for what the caller does not want
    /// to, [`Error::Corrupt`] for what nobody can.
    pub fn decode_into(
        &mut self,
        bytes: &[u8],
        scale: Scale,
        limits: &Limits,
        planes: &mut Planes,
    ) -> Result<Option<Damage>, Error> {
        let prelude = match Prelude::read(bytes).map_err(Error::Corrupt)? {
            Read::Supported(prelude) => prelude,
            Read::Unsupported(_, reason) => return Err(Error::Unsupported(reason)),
        };
        let layout = Layout::new(&prelude, scale);
        layout.check(limits)?;
        let tables = self.prepare_tables(&prelude)?;
        layout.shape(planes);
        Ok(match scale {
            Scale::Eighth => self.scan::<1, { idct::limit(1) }>(bytes, &prelude, &layout, &tables, planes),
            Scale::Quarter => self.scan::<2, { idct::limit(2) }>(bytes, &prelude, &layout, &tables, planes),
            Scale::ThreeEighths => {
                self.scan::<3, { idct::limit(3) }>(bytes, &prelude, &layout, &tables, planes)
            }
            Scale::Half => self.scan::<4, { idct::limit(4) }>(bytes, &prelude, &layout, &tables, planes),
            Scale::Full => self.scan::<8, { idct::limit(8) }>(bytes, &prelude, &layout, &tables, planes),
        })
    }

    /// The index of each component's tables.
    fn prepare_tables(&mut self, prelude: &Prelude) -> Result<Vec<usize>, Error> {
        // More than one picture can use are kept only until the next picture needs the room.
        if self.tables.len() > 6 {
            self.tables.clear();
        }
        let mut indices = Vec::with_capacity(prelude.components.len());
        for component in &prelude.components {
            let (Some(dc), Some(ac)) = (&prelude.dc_codes[component.dc], &prelude.ac_codes[component.ac])
            else {
                return Err(Error::Corrupt(Corrupt::Huffman));
            };
            let known = self
                .tables
                .iter()
                .position(|each| each.dc_code == *dc && each.ac_code == *ac);
            indices.push(known.unwrap_or_else(|| {
                self.tables.push(Tables::new(dc, ac));
                self.tables.len() - 1
            }));
        }
        Ok(indices)
    }

    fn scan<const N: usize, const LIMIT: usize>(
        &mut self,
        source: &[u8],
        prelude: &Prelude,
        layout: &Layout,
        tables: &[usize],
        planes: &mut Planes,
    ) -> Option<Damage> {
        let channels: Vec<_> = prelude
            .components
            .iter()
            .zip(tables)
            .map(|(component, &table)| Channel {
                horizontal: usize::from(component.horizontal),
                vertical: usize::from(component.vertical),
                tables: &self.tables[table],
                // Steps beyond 32 767 wrap: 8-bit samples have none.
                steps: component.quantization.map(|step| step as i16),
            })
            .collect();
        self.backend.run(Scan::<N, LIMIT> {
            backend: self.backend,
            source,
            data: prelude.data,
            window: &mut self.window,
            groups: &mut self.groups,
            channels: &channels,
            planes: &mut planes.planes,
            columns: layout.columns,
            rows: layout.rows,
            restart_interval: usize::from(prelude.restart_interval),
        })
    }
}

struct PlaneLayout {
    width: usize,
    height: usize,
    stride: usize,
    rows: usize,
}

/// The sizes of a picture's planes at a scale.
struct Layout {
    original: (u16, u16),
    scale: Scale,
    /// MCUs in a row, rows of MCUs.
    columns: usize,
    rows: usize,
    planes: Vec<PlaneLayout>,
}

impl Layout {
    fn new(prelude: &Prelude, scale: Scale) -> Self {
        let (width, height) = (
            usize::from(prelude.frame.width),
            usize::from(prelude.frame.height),
        );
        let most = |factor: fn(&crate::header::ScanComponent) -> u8| {
            usize::from(prelude.components.iter().map(factor).max().unwrap_or(1))
        };
        let (most_h, most_v) = (most(|each| each.horizontal), most(|each| each.vertical));
        let columns = width.div_ceil(8 * most_h);
        let rows = height.div_ceil(8 * most_v);
        let n = scale.eighths();
        let planes = prelude.components.iter().map(|component| {
            let (h, v) = (usize::from(component.horizontal), usize::from(component.vertical));
            PlaneLayout {
                width: (width * h * n).div_ceil(8 * most_h),
                height: (height * v * n).div_ceil(8 * most_v),
                stride: columns * h * n,
                rows: rows * v * n,
            }
        });
        let planes = planes.collect();
        Self {
            original: (prelude.frame.width, prelude.frame.height),
            scale,
            columns,
            rows,
            planes,
        }
    }

    fn check(&self, limits: &Limits) -> Result<(), Error> {
        let (width, height) = self.original;
        let pixels = u64::from(width) * u64::from(height);
        let bytes: u64 = self
            .planes
            .iter()
            .map(|plane| plane.stride as u64 * plane.rows as u64)
            .sum();
        if pixels > limits.pixels || bytes > limits.bytes {
            return Err(Error::Limit { width, height });
        }
        Ok(())
    }

    fn shape(&self, picture: &mut Planes) {
        picture.width = self.scale.apply(usize::from(self.original.0));
        picture.height = self.scale.apply(usize::from(self.original.1));
        picture.planes.resize_with(self.planes.len(), Default::default);
        for (plane, layout) in picture.planes.iter_mut().zip(&self.planes) {
            plane.shape(layout.width, layout.height, layout.stride, layout.rows);
        }
    }
}
