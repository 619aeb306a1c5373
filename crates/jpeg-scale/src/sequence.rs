//! Scans of a sequential file: usually one for all components, or several.

use crate::error::{Corrupt, Damage};
use crate::frame::Frame;
use crate::huffman::Code;
use crate::segments::{Next, SegmentReader};

/// Tables of a component in a scan.
pub(crate) struct SequentialComponent {
    pub(crate) index: usize,
    pub(crate) quantization: [u16; 64],
    pub(crate) dc: Code,
    pub(crate) ac: Code,
}

/// A scan header with the tables in force.
pub(crate) struct SequentialScan {
    pub(crate) components: Vec<SequentialComponent>,
    /// MCUs between restart markers, 0 for none.
    pub(crate) restart_interval: u16,
    /// Position of the entropy-coded data.
    pub(crate) data: usize,
}

/// Scans of a file. All but the first are read on demand.
pub(crate) struct SequentialScans<'a> {
    reader: SegmentReader<'a>,
    pub(crate) frame: Frame,
    next: Option<SequentialScan>,
    /// Components for which a scan was found.
    seen: [bool; 4],
    pub(crate) damage: Option<Damage>,
}

impl<'a> SequentialScans<'a> {
    /// The scans of a file whose first scan header was just read.
    pub(crate) fn begin(reader: SegmentReader<'a>, frame: Frame, segment: &[u8]) -> Result<Self, Corrupt> {
        let mut scans = Self {
            reader,
            frame,
            next: None,
            seen: [false; 4],
            damage: None,
        };
        scans.next = Some(scans.read_scan(segment)?);
        Ok(scans)
    }

    /// The next scan. Defects after the first scan are damage, not errors: the first scan alone gives an
    /// image.
    pub(crate) fn next(&mut self) -> Option<SequentialScan> {
        if self.next.is_some() {
            return self.next.take();
        }
        while !self.seen[..usize::from(self.frame.count)]
            .iter()
            .all(|&seen| seen)
        {
            match self.reader.next() {
                Ok(Next::Scan(segment)) => match self.read_scan(segment) {
                    Ok(scan) => return Some(scan),
                    Err(_) => self.damage = self.damage.or(Some(Damage::Scan)),
                },
                Ok(Next::EndOfImage | Next::EndOfFile) | Err(Corrupt::Truncated) => {
                    self.damage = self.damage.or(Some(Damage::Truncated));
                    return None;
                }
                Err(_) => {
                    self.damage = self.damage.or(Some(Damage::Scan));
                    return None;
                }
            }
        }
        None
    }

    fn read_scan(&mut self, segment: &[u8]) -> Result<SequentialScan, Corrupt> {
        let (&count, rest) = segment.split_first().ok_or(Corrupt::Segment)?;
        // Spectral selection and successive approximation (the last three bytes) are fixed in a sequential
        // scan and wrong in some files; libjpeg ignores them too.
        if rest.len() != usize::from(count) * 2 + 3 || count == 0 || count > self.frame.count {
            return Err(Corrupt::Scan);
        }
        let frame_components = &self.frame.components[..usize::from(self.frame.count)];
        let mut components: Vec<SequentialComponent> = Vec::with_capacity(3);
        let selectors = rest.as_chunks().0.iter().take(usize::from(count));
        for (index, &[id, tables]) in selectors.enumerate() {
            // A scan of all components has them in the frame's order; in some files their identifiers are the
            // same.
            let component = if count == self.frame.count {
                Some(index).filter(|&index| frame_components[index].id == id)
            } else {
                frame_components.iter().position(|each| each.id == id)
            };
            let component = component.ok_or(Corrupt::Scan)?;
            if self.seen[component] || components.iter().any(|other| other.index == component) {
                return Err(Corrupt::Scan);
            }
            let slot = usize::from(frame_components[component].quantization);
            let dc = self.reader.dc_codes.get(usize::from(tables >> 4));
            let ac = self.reader.ac_codes.get(usize::from(tables & 15));
            components.push(SequentialComponent {
                index: component,
                dc: dc.ok_or(Corrupt::Scan)?.clone().ok_or(Corrupt::Huffman)?,
                ac: ac.ok_or(Corrupt::Scan)?.clone().ok_or(Corrupt::Huffman)?,
                quantization: self.reader.quantization[slot].ok_or(Corrupt::Quantization)?,
            });
        }
        for scan_component in &components {
            self.seen[scan_component.index] = true;
        }
        Ok(SequentialScan {
            components,
            restart_interval: self.reader.restart_interval,
            data: self.reader.position,
        })
    }
}
