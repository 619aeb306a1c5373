//! The decoder: limits, scales, and memory that is reused from picture to picture.

use crate::backend::Backend;
use crate::error::{Corrupt, Damage, Error};
use crate::header::{Prelude, Read};
use crate::huffman::Tables;
use crate::idct;
use crate::layout::Layout;
use crate::planes::Planes;
use crate::progressive::{self, Memory, Progressive, STORED};
use crate::scan::{Channel, Group, Scan};
use crate::script::Script;
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
    memory: Memory,
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
            memory: Memory::default(),
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
        match Prelude::read(bytes).map_err(Error::Corrupt)? {
            Read::Unsupported(_, reason) => Err(Error::Unsupported(reason)),
            Read::Sequential(prelude) => {
                let layout = Layout::new(&prelude.frame.header(None), scale);
                layout.check(limits)?;
                let tables = self.prepare_tables(&prelude)?;
                layout.shape(planes);
                let run = match scale {
                    Scale::Eighth => Self::scan::<1, { idct::limit(1) }>,
                    Scale::Quarter => Self::scan::<2, { idct::limit(2) }>,
                    Scale::ThreeEighths => Self::scan::<3, { idct::limit(3) }>,
                    Scale::Half => Self::scan::<4, { idct::limit(4) }>,
                    Scale::Full => Self::scan::<8, { idct::limit(8) }>,
                };
                Ok(run(self, bytes, &prelude, &layout, &tables, planes))
            }
            Read::Progressive(mut script) => {
                let layout = Layout::new(&script.frame.header(None), scale);
                layout.check(limits)?;
                script.read_rest().map_err(Error::Corrupt)?;
                layout.shape(planes);
                let run = match scale {
                    Scale::Eighth => Self::passes::<1, { STORED[1] }>,
                    Scale::Quarter => Self::passes::<2, { STORED[2] }>,
                    Scale::ThreeEighths => Self::passes::<3, { STORED[3] }>,
                    Scale::Half => Self::passes::<4, { STORED[4] }>,
                    Scale::Full => Self::passes::<8, { STORED[8] }>,
                };
                Ok(run(self, bytes, &script, &layout, planes))
            }
        }
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
            .zip(&layout.components)
            .zip(tables)
            .map(|((component, place), &table)| Channel {
                horizontal: place.horizontal,
                vertical: place.vertical,
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

    fn passes<const N: usize, const K: usize>(
        &mut self,
        source: &[u8],
        script: &Script<'_>,
        layout: &Layout,
        planes: &mut Planes,
    ) -> Option<Damage> {
        // A component without any scan has no steps, and no coefficients either.
        let steps = script
            .quantization
            .map(|steps| steps.unwrap_or([1; 64]).map(|step| step as i16));
        let damage = Progressive::<N, K> {
            backend: self.backend,
            source,
            memory: &mut self.memory,
            passes: &script.needed(progressive::wanted(N)),
            layout,
            steps: &steps,
            planes: &mut planes.planes,
        };
        script.damage.or(damage.run())
    }
}
