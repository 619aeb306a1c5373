//! Scans of a progressive file (ITU-T T.81, annex G): headers, validation, and the selection of those that a
//! scale needs.

use crate::error::{Corrupt, Damage};
use crate::frame::Frame;
use crate::huffman::Code;
use crate::segments::{Next, SegmentReader};
use crate::zigzag::ZIGZAG;

/// Maximum number of scans in a file. Encoders write about ten; each can cost a visit of every block of the
/// image.
const MAX_SCANS: usize = 100;

/// Value in `coefficient_bits` of a coefficient that no scan has coded yet.
const NOT_CODED: u8 = u8::MAX;

/// Coefficient `k` (zig-zag index) in a set of coefficients. The first is the top bit, so that bits read from
/// the file one by one are in the order of the set.
pub(crate) const fn bit(k: usize) -> u64 {
    1 << 63 >> k
}

/// Coefficients that an image at N/8 is computed from, as a set.
fn required_coefficients(n: usize) -> u64 {
    let is_required = |index: usize| index / 8 < n && index % 8 < n;
    (0..64)
        .filter(|&k| is_required(ZIGZAG[k].into()))
        .fold(0, |set, k| set | bit(k))
}

/// A component in a scan.
#[derive(Clone)]
pub(crate) struct ScanComponent {
    pub(crate) index: usize,
    /// Huffman table of the component; none if the scan needs none.
    pub(crate) code: Option<Code>,
}

/// A scan header: the bits of the coefficients that the scan contains.
#[derive(Clone)]
pub(crate) struct ScanHeader {
    pub(crate) components: Vec<ScanComponent>,
    /// First and last coefficient of the spectral selection (Ss, Se).
    pub(crate) spectral_start: usize,
    pub(crate) spectral_end: usize,
    /// Lowest coefficient bit in the scan: successive approximation bit position low (Al).
    pub(crate) al: u32,
    /// True if the scan contains that bit alone.
    pub(crate) is_refinement: bool,
    pub(crate) restart_interval: u16,
    /// Position of the scan's data in the file.
    pub(crate) data: usize,
    /// True if another scan follows.
    pub(crate) has_next: bool,
}

impl ScanHeader {
    /// Coefficients of the spectral selection, as a set.
    pub(crate) fn band(&self) -> u64 {
        (u64::MAX >> self.spectral_start) & (u64::MAX << (63 - self.spectral_end))
    }
}

/// All scans of a file.
pub(crate) struct ScanScript<'a> {
    reader: SegmentReader<'a>,
    pub(crate) frame: Frame,
    /// Quantization table of each component: the one in force at its first scan.
    pub(crate) quantization: [Option<[u16; 64]>; 3],
    pub(crate) headers: Vec<ScanHeader>,
    /// Lowest bit of each coefficient that the scans so far contain.
    coefficient_bits: [[u8; 64]; 3],
    /// True if the file ends with EOI.
    has_eoi: bool,
    pub(crate) damage: Option<Damage>,
}

impl<'a> ScanScript<'a> {
    /// A script with its first scan, whose header was just read.
    pub(crate) fn begin(reader: SegmentReader<'a>, frame: Frame, segment: &[u8]) -> Result<Self, Corrupt> {
        let mut script = Self {
            reader,
            frame,
            quantization: [None; 3],
            headers: Vec::new(),
            coefficient_bits: [[NOT_CODED; 64]; 3],
            has_eoi: false,
            damage: None,
        };
        script.add(segment)?;
        Ok(script)
    }

    /// Reads the headers of the other scans. Defects in them are damage, not errors: the first scan alone
    /// gives an image.
    pub(crate) fn read_rest(&mut self) -> Result<(), Corrupt> {
        let mut scans = self.headers.len();
        loop {
            match self.reader.next() {
                Ok(Next::Scan(_)) if scans == MAX_SCANS => return Err(Corrupt::TooManyScans),
                Ok(Next::Scan(segment)) => {
                    scans += 1;
                    if let Some(previous) = self.headers.last_mut() {
                        previous.has_next = true;
                    }
                    // An invalid scan is skipped, and so are the scans that refine it.
                    if self.add(segment).is_err() {
                        self.damage.get_or_insert(Damage::Scan);
                    }
                }
                Ok(Next::EndOfImage) => {
                    self.has_eoi = true;
                    break;
                }
                Ok(Next::EndOfFile) => {
                    let components = &self.coefficient_bits[..usize::from(self.frame.count)];
                    if components.as_flattened().iter().any(|&al| al > 0) {
                        self.damage.get_or_insert(Damage::Truncated);
                    }
                    break;
                }
                Err(Corrupt::Truncated) => {
                    self.damage.get_or_insert(Damage::Truncated);
                    break;
                }
                Err(_) => {
                    self.damage.get_or_insert(Damage::Scan);
                    break;
                }
            }
        }
        // With every bit of every coefficient present, skipped scans and trailing segments take nothing from
        // the image.
        let is_complete = self.coefficient_bits[..usize::from(self.frame.count)]
            .as_flattened()
            .iter()
            .all(|&al| al == 0);
        if is_complete && self.damage == Some(Damage::Scan) {
            self.damage = None;
        }
        let has_dc = |component: &[u8; 64]| component[0] != NOT_CODED;
        if !self.coefficient_bits[..usize::from(self.frame.count)]
            .iter()
            .all(has_dc)
        {
            self.damage.get_or_insert(Damage::Truncated);
        }
        Ok(())
    }

    fn add(&mut self, segment: &[u8]) -> Result<(), Corrupt> {
        let (&count, rest) = segment.split_first().ok_or(Corrupt::Segment)?;
        let count = usize::from(count);
        if count == 0 || count > usize::from(self.frame.count) || rest.len() != count * 2 + 3 {
            return Err(Corrupt::Scan);
        }
        let (selectors, &[spectral_start, spectral_end, approximation]) =
            rest.split_last_chunk().ok_or(Corrupt::Segment)?;
        let (ah, al) = (approximation >> 4, approximation & 15);
        let band_is_valid = match spectral_start {
            0 => spectral_end == 0,
            _ => spectral_start <= spectral_end && spectral_end < 64 && count == 1,
        };
        if !band_is_valid || al > 13 || (ah != 0 && ah != al + 1) {
            return Err(Corrupt::Scan);
        }
        let mut components: Vec<ScanComponent> = Vec::with_capacity(count);
        let mut quantization = self.quantization;
        for &[id, tables] in selectors.as_chunks().0 {
            let frame_components = &self.frame.components[..usize::from(self.frame.count)];
            let component = frame_components
                .iter()
                .position(|each| each.id == id)
                .ok_or(Corrupt::Scan)?;
            if components.iter().any(|other| other.index == component) {
                return Err(Corrupt::Scan);
            }
            let coded = &self.coefficient_bits[component];
            let expected = if ah == 0 { NOT_CODED } else { ah };
            let band = usize::from(spectral_start)..=usize::from(spectral_end);
            if coded[band].iter().any(|&al| al != expected) || (spectral_start > 0 && coded[0] == NOT_CODED) {
                return Err(Corrupt::Scan);
            }
            let code = match (spectral_start, ah) {
                (0, 0) => Some((&self.reader.dc_codes, tables >> 4)),
                (0, _) => None,
                _ => Some((&self.reader.ac_codes, tables & 15)),
            };
            let code = match code {
                None => None,
                Some((codes, slot)) => {
                    let code = codes.get(usize::from(slot)).ok_or(Corrupt::Scan)?;
                    Some(code.clone().ok_or(Corrupt::Huffman)?)
                }
            };
            if quantization[component].is_none() {
                let slot = usize::from(frame_components[component].quantization);
                quantization[component] = Some(self.reader.quantization[slot].ok_or(Corrupt::Quantization)?);
            }
            components.push(ScanComponent {
                index: component,
                code,
            });
        }
        let header = ScanHeader {
            components,
            spectral_start: spectral_start.into(),
            spectral_end: spectral_end.into(),
            al: al.into(),
            is_refinement: ah != 0,
            restart_interval: self.reader.restart_interval,
            data: self.reader.position,
            has_next: false,
        };
        self.quantization = quantization;
        for scan_component in &header.components {
            self.coefficient_bits[scan_component.index][header.spectral_start..=header.spectral_end].fill(al);
        }
        self.headers.push(header);
        Ok(())
    }

    /// Scans on which the coefficients of an image at N/8 depend.
    ///
    /// A refinement scan can be decoded only if it is known which of its coefficients are not zero: it needs
    /// all earlier scans of these coefficients. In a file without EOI the last scan is always included: it
    /// may be truncated, which would go unnoticed otherwise.
    pub(crate) fn required_scans(&self, n: usize) -> Vec<&ScanHeader> {
        let mut required = [required_coefficients(n); 3];
        let mut headers = Vec::with_capacity(self.headers.len());
        let mut must_read = !self.has_eoi;
        for header in self.headers.iter().rev() {
            let band = header.band();
            if header
                .components
                .iter()
                .any(|each| required[each.index] & band != 0)
                || must_read
            {
                headers.push(header);
                if header.is_refinement {
                    for scan_component in &header.components {
                        required[scan_component.index] |= band;
                    }
                }
            }
            must_read = false;
        }
        headers.reverse();
        headers
    }
}
