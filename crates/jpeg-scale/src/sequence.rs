//! The scans of a sequential file: one for all components as a rule, or several.

use crate::error::{Corrupt, Damage};
use crate::frame::Frame;
use crate::huffman::Code;
use crate::segments::{Next, Reader};

/// The tables of a component in a scan.
pub(crate) struct Member {
    pub(crate) component: usize,
    pub(crate) quantization: [u16; 64],
    pub(crate) dc: Code,
    pub(crate) ac: Code,
}

/// All that a scan's data need.
pub(crate) struct Part {
    pub(crate) members: Vec<Member>,
    /// MCUs between restart markers, 0 for none.
    pub(crate) restart_interval: u16,
    /// Where the entropy-coded data begin.
    pub(crate) data: usize,
}

/// The scans of a file, of which all but the first are still to be read.
pub(crate) struct Sequence<'a> {
    reader: Reader<'a>,
    pub(crate) frame: Frame,
    next: Option<Part>,
    /// Whether a scan was found that has the component.
    found: [bool; 4],
    pub(crate) damage: Option<Damage>,
}

impl<'a> Sequence<'a> {
    /// A sequence with its first scan, whose header was just read.
    pub(crate) fn begin(reader: Reader<'a>, frame: Frame, segment: &[u8]) -> Result<Self, Corrupt> {
        let mut sequence = Self {
            reader,
            frame,
            next: None,
            found: [false; 4],
            damage: None,
        };
        sequence.next = Some(sequence.part(segment)?);
        Ok(sequence)
    }

    /// The next scan. What is wrong behind the first is damage: there is something to show already.
    pub(crate) fn next(&mut self) -> Option<Part> {
        if self.next.is_some() {
            return self.next.take();
        }
        while !self.found[..usize::from(self.frame.count)]
            .iter()
            .all(|&found| found)
        {
            match self.reader.next() {
                Ok(Next::Scan(segment)) => match self.part(segment) {
                    Ok(part) => return Some(part),
                    Err(_) => self.damage = self.damage.or(Some(Damage::Scan)),
                },
                Ok(Next::End | Next::Nothing) | Err(Corrupt::Truncated) => {
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

    fn part(&mut self, segment: &[u8]) -> Result<Part, Corrupt> {
        let (&count, rest) = segment.split_first().ok_or(Corrupt::Segment)?;
        // Spectral selection and approximation (the last three bytes) have no meaning in a sequential scan and are
        // wrong in some files; libjpeg ignores them too.
        if rest.len() != usize::from(count) * 2 + 3 || count == 0 || count > self.frame.count {
            return Err(Corrupt::Scan);
        }
        let components = &self.frame.components[..usize::from(self.frame.count)];
        let mut members: Vec<Member> = Vec::with_capacity(3);
        let names = rest.as_chunks().0.iter().take(usize::from(count));
        for (index, &[id, tables]) in names.enumerate() {
            // Where all components are there, they are in the frame's order; in some files they have the same name.
            let component = if count == self.frame.count {
                Some(index).filter(|&index| components[index].id == id)
            } else {
                components.iter().position(|each| each.id == id)
            };
            let component = component.ok_or(Corrupt::Scan)?;
            if self.found[component] || members.iter().any(|other| other.component == component) {
                return Err(Corrupt::Scan);
            }
            let slot = usize::from(components[component].quantization);
            let dc = self.reader.dc_codes.get(usize::from(tables >> 4));
            let ac = self.reader.ac_codes.get(usize::from(tables & 15));
            members.push(Member {
                component,
                dc: dc.ok_or(Corrupt::Scan)?.clone().ok_or(Corrupt::Huffman)?,
                ac: ac.ok_or(Corrupt::Scan)?.clone().ok_or(Corrupt::Huffman)?,
                quantization: self.reader.quantization[slot].ok_or(Corrupt::Quantization)?,
            });
        }
        for member in &members {
            self.found[member.component] = true;
        }
        Ok(Part {
            members,
            restart_interval: self.reader.restart_interval,
            data: self.reader.at,
        })
    }
}
