//! The decoder: limits, scales, and memory that is reused from picture to picture.

use crate::backend::Backend;
use crate::block;
use crate::error::{Damage, Error};
use crate::group::Group;
use crate::huffman::Tables;
use crate::layout::{Layout, STORED};
use crate::limits::Limits;
use crate::parser::Parsed;
use crate::planes::{Plane, Planes};
use crate::progressive::{Memory, Progressive};
use crate::scale::Scale;
use crate::scan::{Channel, Scan};
use crate::script::Script;
use crate::sequence::{Member, Part, Sequence};
use crate::window::{self, Bytes};

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded {
    /// The picture.
    pub planes: Planes,
    /// The first thing that was wrong with the data, if anything was; [`Damage::Surplus`] comes last. What could not be
    /// read is mid-grey.
    pub damage: Option<Damage>,
}

/// Decodes JPEG files at a scale.
///
/// Keeps its tables and working memory between pictures: some 100 KiB, and after a progressive picture the coefficients
/// of a row of MCUs and 16 KiB for each of 16 scans at most. One decoder serves one thread.
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
    /// Whatever follows the picture's data in the file is not looked at. The scans of a progressive file that only tell
    /// what the scale does not want are not looked at either.
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
        match Parsed::parse(bytes).map_err(Error::Corrupt)? {
            Parsed::Unsupported(_, reason) => Err(Error::Unsupported(reason)),
            Parsed::Sequential(mut sequence) => {
                let layout = Layout::new(&sequence.frame.header(None), scale);
                layout.check(limits)?;
                layout.shape(planes);
                let run = match scale {
                    Scale::Eighth => Self::sequence::<1, { block::limit(1) }>,
                    Scale::Quarter => Self::sequence::<2, { block::limit(2) }>,
                    Scale::ThreeEighths => Self::sequence::<3, { block::limit(3) }>,
                    Scale::Half => Self::sequence::<4, { block::limit(4) }>,
                    Scale::Full => Self::sequence::<8, { block::limit(8) }>,
                };
                Ok(run(self, bytes, &mut sequence, &layout, planes))
            }
            Parsed::Progressive(mut script) => {
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
    fn prepare_tables(&mut self, part: &Part) -> Vec<usize> {
        // More than one picture can use are kept only until the next picture needs the room.
        if self.tables.len() > 6 {
            self.tables.clear();
        }
        let mut index = |member: &Member| {
            let is_it = |each: &Tables| each.dc_code == member.dc && each.ac_code == member.ac;
            self.tables.iter().position(is_it).unwrap_or_else(|| {
                self.tables.push(Tables::new(&member.dc, &member.ac));
                self.tables.len() - 1
            })
        };
        part.members.iter().map(&mut index).collect()
    }

    fn sequence<const N: usize, const LIMIT: usize>(
        &mut self,
        source: &[u8],
        sequence: &mut Sequence<'_>,
        layout: &Layout,
        planes: &mut Planes,
    ) -> Option<Damage> {
        let mut damage = None;
        let mut is_first = true;
        while let Some(part) = sequence.next() {
            if part.members.len() == layout.components.len() {
                return self.scan::<N, LIMIT>(source, &part, layout, &mut planes.planes);
            }
            if std::mem::take(&mut is_first) {
                // Whole planes may not be written, nor the padding.
                planes.planes.iter_mut().for_each(|plane| plane.data.fill(128));
            }
            let place = |member: &Member| std::mem::take(&mut planes.planes[member.component]);
            let mut some: Vec<Plane> = part.members.iter().map(place).collect();
            damage = Damage::first_of(damage, self.scan::<N, LIMIT>(source, &part, layout, &mut some));
            for (member, plane) in part.members.iter().zip(some) {
                planes.planes[member.component] = plane;
            }
        }
        Damage::first_of(damage, sequence.damage)
    }

    /// Decodes a scan into the planes of its components.
    fn scan<const N: usize, const LIMIT: usize>(
        &mut self,
        source: &[u8],
        part: &Part,
        layout: &Layout,
        planes: &mut [Plane],
    ) -> Option<Damage> {
        let tables = self.prepare_tables(part);
        let (columns, rows) = match part.members.as_slice() {
            // Without others, a component's blocks lie in rows, and those that would fill up MCUs are missing.
            [member] => {
                let component = &layout.components[member.component];
                (component.across, component.down)
            }
            _ => (layout.columns, layout.rows),
        };
        let channel = |(member, &table): (&Member, &usize)| {
            let component = &layout.components[member.component];
            let is_alone = part.members.len() == 1;
            Channel {
                horizontal: if is_alone { 1 } else { component.horizontal },
                vertical: if is_alone { 1 } else { component.vertical },
                tables: &self.tables[table],
                // Steps beyond 32 767 wrap: 8-bit samples have none.
                steps: member.quantization.map(|step| step as i16),
            }
        };
        let channels: Vec<_> = part.members.iter().zip(&tables).map(channel).collect();
        self.backend.run(Scan::<N, LIMIT> {
            backend: self.backend,
            source,
            data: part.data,
            window: &mut self.window,
            groups: &mut self.groups,
            channels: &channels,
            planes,
            columns,
            rows,
            restart_interval: usize::from(part.restart_interval),
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
            passes: &script.needed(N),
            layout,
            steps: &steps,
            planes: &mut planes.planes,
        };
        script.damage.or(damage.run())
    }
}
