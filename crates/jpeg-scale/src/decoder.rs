//! The decoder, with tables and memory that are reused between images.

use crate::backend::Backend;
use crate::block;
use crate::error::{Damage, Error};
use crate::group::Group;
use crate::huffman::Tables;
use crate::layout::{Layout, STORED_COEFFICIENTS};
use crate::limits::Limits;
use crate::parser::Parsed;
use crate::planes::{Plane, Planes};
use crate::progressive::{ProgressiveBuffers, ProgressiveImage};
use crate::scale::Scale;
use crate::scan::{ComponentParameters, Scan};
use crate::script::ScanScript;
use crate::sequence::{SequentialComponent, SequentialScan, SequentialScans};
use crate::window::{self, WindowBuffer};

/// A decoded image.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded {
    /// The image.
    pub planes: Planes,
    /// First defect of the data, if there is any; [`Damage::Surplus`] is reported only if there is no other.
    /// Samples that could not be decoded are mid-grey.
    pub damage: Option<Damage>,
}

/// Decodes JPEG files at a scale.
///
/// Keeps its tables and working memory between images: some 100 KiB, and after a progressive image the
/// coefficients of a row of MCUs and 16 KiB for each of at most 16 scans. A decoder is used by one thread at
/// a time.
pub struct Decoder {
    backend: Backend,
    window: Box<WindowBuffer>,
    groups: Vec<Group>,
    buffers: ProgressiveBuffers,
    /// Look-up tables of recent images. Most files of a camera have the same Huffman tables.
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
    /// A decoder with the fastest backend that this CPU supports.
    pub fn new() -> Self {
        Self::with_backend(Backend::detect())
    }

    /// A decoder with a given backend. All backends give the same planes.
    pub fn with_backend(backend: Backend) -> Self {
        Self {
            backend,
            window: window::new_buffer(),
            groups: Vec::new(),
            buffers: ProgressiveBuffers::default(),
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

    /// Decodes a file into planes whose memory is reused, which avoids the page faults of new memory.
    ///
    /// Returns the first defect of the data, if there is any. After an error the content of the planes is
    /// unspecified. Bytes after the image's data are not read; neither are those scans of a progressive file
    /// that the scale does not need.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for files that need another decoder, [`Error::Limit`] for files above the
    /// caller's limits, [`Error::Corrupt`] for files that are not valid.
    pub fn decode_into(
        &mut self,
        bytes: &[u8],
        scale: Scale,
        limits: &Limits,
        planes: &mut Planes,
    ) -> Result<Option<Damage>, Error> {
        match Parsed::parse(bytes).map_err(Error::Corrupt)? {
            Parsed::Unsupported(_, reason) => Err(Error::Unsupported(reason)),
            Parsed::Sequential(mut scans) => {
                let layout = Layout::new(&scans.frame.header(None), scale);
                layout.check(limits)?;
                layout.shape(planes);
                let run = match scale {
                    Scale::Eighth => Self::decode_sequential::<1, { block::coefficient_limit(1) }>,
                    Scale::Quarter => Self::decode_sequential::<2, { block::coefficient_limit(2) }>,
                    Scale::ThreeEighths => Self::decode_sequential::<3, { block::coefficient_limit(3) }>,
                    Scale::Half => Self::decode_sequential::<4, { block::coefficient_limit(4) }>,
                    Scale::Full => Self::decode_sequential::<8, { block::coefficient_limit(8) }>,
                };
                Ok(run(self, bytes, &mut scans, &layout, planes))
            }
            Parsed::Progressive(mut script) => {
                let layout = Layout::new(&script.frame.header(None), scale);
                layout.check(limits)?;
                script.read_rest().map_err(Error::Corrupt)?;
                layout.shape(planes);
                let run = match scale {
                    Scale::Eighth => Self::decode_progressive::<1, { STORED_COEFFICIENTS[1] }>,
                    Scale::Quarter => Self::decode_progressive::<2, { STORED_COEFFICIENTS[2] }>,
                    Scale::ThreeEighths => Self::decode_progressive::<3, { STORED_COEFFICIENTS[3] }>,
                    Scale::Half => Self::decode_progressive::<4, { STORED_COEFFICIENTS[4] }>,
                    Scale::Full => Self::decode_progressive::<8, { STORED_COEFFICIENTS[8] }>,
                };
                Ok(run(self, bytes, &script, &layout, planes))
            }
        }
    }

    /// Indices into `self.tables` of the look-up tables of each component.
    fn prepare_tables(&mut self, scan: &SequentialScan) -> Vec<usize> {
        // The tables of earlier images are dropped once there are more than one image can use.
        if self.tables.len() > 6 {
            self.tables.clear();
        }
        let mut index = |scan_component: &SequentialComponent| {
            let is_same =
                |each: &Tables| each.dc_code == scan_component.dc && each.ac_code == scan_component.ac;
            self.tables.iter().position(is_same).unwrap_or_else(|| {
                self.tables
                    .push(Tables::new(&scan_component.dc, &scan_component.ac));
                self.tables.len() - 1
            })
        };
        scan.components.iter().map(&mut index).collect()
    }

    fn decode_sequential<const N: usize, const LIMIT: usize>(
        &mut self,
        source: &[u8],
        scans: &mut SequentialScans<'_>,
        layout: &Layout,
        planes: &mut Planes,
    ) -> Option<Damage> {
        let mut damage = None;
        let mut is_first = true;
        while let Some(scan) = scans.next() {
            if scan.components.len() == layout.components.len() {
                return self.decode_scan::<N, LIMIT>(source, &scan, layout, &mut planes.planes);
            }
            if std::mem::take(&mut is_first) {
                // Scans may be missing, and no scan of one component writes the padding.
                planes.planes.iter_mut().for_each(|plane| plane.data.fill(128));
            }
            let take_plane = |scan_component: &SequentialComponent| {
                std::mem::take(&mut planes.planes[scan_component.index])
            };
            let mut scan_planes: Vec<Plane> = scan.components.iter().map(take_plane).collect();
            damage = Damage::first_of(
                damage,
                self.decode_scan::<N, LIMIT>(source, &scan, layout, &mut scan_planes),
            );
            for (scan_component, plane) in scan.components.iter().zip(scan_planes) {
                planes.planes[scan_component.index] = plane;
            }
        }
        Damage::first_of(damage, scans.damage)
    }

    /// Decodes a scan into the planes of its components.
    fn decode_scan<const N: usize, const LIMIT: usize>(
        &mut self,
        source: &[u8],
        scan: &SequentialScan,
        layout: &Layout,
        planes: &mut [Plane],
    ) -> Option<Damage> {
        let tables = self.prepare_tables(scan);
        let (columns, rows) = match scan.components.as_slice() {
            // A scan of one component has no MCU padding: its blocks are in raster order (ITU-T T.81, A.2.2).
            [scan_component] => {
                let component = &layout.components[scan_component.index];
                (component.blocks_wide, component.blocks_high)
            }
            _ => (layout.mcu_columns, layout.mcu_rows),
        };
        let parameters = |(scan_component, &table): (&SequentialComponent, &usize)| {
            let component = &layout.components[scan_component.index];
            let is_single = scan.components.len() == 1;
            ComponentParameters {
                horizontal: if is_single { 1 } else { component.horizontal },
                vertical: if is_single { 1 } else { component.vertical },
                tables: &self.tables[table],
                // Steps above 32 767 wrap. Files with 8-bit samples have none.
                steps: scan_component.quantization.map(|step| step as i16),
            }
        };
        let components: Vec<_> = scan.components.iter().zip(&tables).map(parameters).collect();
        self.backend.run(Scan::<N, LIMIT> {
            backend: self.backend,
            source,
            data: scan.data,
            window: &mut self.window,
            groups: &mut self.groups,
            components: &components,
            planes,
            columns,
            rows,
            restart_interval: usize::from(scan.restart_interval),
        })
    }

    fn decode_progressive<const N: usize, const STORED: usize>(
        &mut self,
        source: &[u8],
        script: &ScanScript<'_>,
        layout: &Layout,
        planes: &mut Planes,
    ) -> Option<Damage> {
        // A component without any scan has neither quantization steps nor coefficients.
        let steps = script
            .quantization
            .map(|steps| steps.unwrap_or([1; 64]).map(|step| step as i16));
        let damage = ProgressiveImage::<N, STORED> {
            backend: self.backend,
            source,
            buffers: &mut self.buffers,
            headers: &script.required_scans(N),
            layout,
            steps: &steps,
            planes: &mut planes.planes,
        };
        script.damage.or(damage.run())
    }
}
