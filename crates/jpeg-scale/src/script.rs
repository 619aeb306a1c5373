//! The scans of a progressive file (ITU-T T.81, annex G): what each holds, which are valid, and which are needed.

use crate::error::{Corrupt, Damage};
use crate::frame::Frame;
use crate::huffman::Code;
use crate::segments::{Next, Reader};
use crate::zigzag::ZIGZAG;

/// Scans that a file may have. Encoders write 10 or so; each can cost a glance at every block of the picture.
const MOST_SCANS: usize = 100;

/// What [`Script::accuracy`] holds of a coefficient that no scan had yet.
const NOTHING: u8 = u8::MAX;

/// Coefficient `k` (in the file's order) in a set of coefficients. The first is at the top, so that bits that come
/// from the file one by one are in the order of the set.
pub(crate) const fn bit(k: usize) -> u64 {
    1 << 63 >> k
}

/// The set of coefficients that a picture at N/8 is made from.
fn wanted(n: usize) -> u64 {
    let is_wanted = |place: usize| place / 8 < n && place % 8 < n;
    (0..64)
        .filter(|&k| is_wanted(ZIGZAG[k].into()))
        .fold(0, |set, k| set | bit(k))
}

/// A component in a scan.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) component: usize,
    /// The table that the scan uses for it, if it needs any.
    pub(crate) code: Option<Code>,
}

/// A scan: which bits of which coefficients it holds.
#[derive(Clone)]
pub(crate) struct Pass {
    pub(crate) members: Vec<Member>,
    /// The first and the last coefficient.
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// The lowest bit of the coefficients that it tells.
    pub(crate) low: u32,
    /// Whether it tells that bit alone.
    pub(crate) refines: bool,
    pub(crate) restart_interval: u16,
    /// Where its data begin.
    pub(crate) data: usize,
    /// Whether another scan follows.
    pub(crate) is_followed: bool,
}

impl Pass {
    /// The set of its coefficients.
    pub(crate) fn band(&self) -> u64 {
        (u64::MAX >> self.first) & (u64::MAX << (63 - self.last))
    }
}

/// All scans of a file.
pub(crate) struct Script<'a> {
    reader: Reader<'a>,
    pub(crate) frame: Frame,
    /// Each component's quantisation table: the one in force at its first scan.
    pub(crate) quantization: [Option<[u16; 64]>; 3],
    pub(crate) passes: Vec<Pass>,
    /// The lowest bit that is known of each coefficient.
    accuracy: [[u8; 64]; 3],
    /// Whether the file says that this is all.
    ended: bool,
    pub(crate) damage: Option<Damage>,
}

impl<'a> Script<'a> {
    /// A script with its first scan, whose header was just read.
    pub(crate) fn begin(reader: Reader<'a>, frame: Frame, segment: &[u8]) -> Result<Self, Corrupt> {
        let mut script = Self {
            reader,
            frame,
            quantization: [None; 3],
            passes: Vec::new(),
            accuracy: [[NOTHING; 64]; 3],
            ended: false,
            damage: None,
        };
        script.add(segment)?;
        Ok(script)
    }

    /// Reads the headers of the other scans. What is wrong with them is damage: there is something to show already.
    pub(crate) fn read_rest(&mut self) -> Result<(), Corrupt> {
        let mut scans = self.passes.len();
        loop {
            match self.reader.next() {
                Ok(Next::Scan(_)) if scans == MOST_SCANS => return Err(Corrupt::Scans),
                Ok(Next::Scan(segment)) => {
                    scans += 1;
                    if let Some(last) = self.passes.last_mut() {
                        last.is_followed = true;
                    }
                    // A scan that does not fit is left out; so are those that would refine it.
                    if self.add(segment).is_err() {
                        self.damage.get_or_insert(Damage::Scan);
                    }
                }
                Ok(Next::End) => {
                    self.ended = true;
                    break;
                }
                Ok(Next::Nothing) => {
                    let components = &self.accuracy[..usize::from(self.frame.count)];
                    if components.as_flattened().iter().any(|&low| low > 0) {
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
        // Whatever was left out, or follows: nothing of the picture is missing.
        let is_complete = self.accuracy[..usize::from(self.frame.count)]
            .as_flattened()
            .iter()
            .all(|&low| low == 0);
        if is_complete && self.damage == Some(Damage::Scan) {
            self.damage = None;
        }
        let has_dc = |component: &[u8; 64]| component[0] != NOTHING;
        if !self.accuracy[..usize::from(self.frame.count)].iter().all(has_dc) {
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
        let (names, &[first, last, approximation]) = rest.split_last_chunk().ok_or(Corrupt::Segment)?;
        let (high, low) = (approximation >> 4, approximation & 15);
        let band_is_valid = match first {
            0 => last == 0,
            _ => first <= last && last < 64 && count == 1,
        };
        if !band_is_valid || low > 13 || (high != 0 && high != low + 1) {
            return Err(Corrupt::Scan);
        }
        let mut members: Vec<Member> = Vec::with_capacity(count);
        let mut quantization = self.quantization;
        for &[id, tables] in names.as_chunks().0 {
            let components = &self.frame.components[..usize::from(self.frame.count)];
            let component = components
                .iter()
                .position(|each| each.id == id)
                .ok_or(Corrupt::Scan)?;
            if members.iter().any(|other| other.component == component) {
                return Err(Corrupt::Scan);
            }
            let known = &self.accuracy[component];
            let expected = if high == 0 { NOTHING } else { high };
            let band = usize::from(first)..=usize::from(last);
            if known[band].iter().any(|&low| low != expected) || (first > 0 && known[0] == NOTHING) {
                return Err(Corrupt::Scan);
            }
            let code = match (first, high) {
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
                let slot = usize::from(components[component].quantization);
                quantization[component] = Some(self.reader.quantization[slot].ok_or(Corrupt::Quantization)?);
            }
            members.push(Member { component, code });
        }
        let pass = Pass {
            members,
            first: first.into(),
            last: last.into(),
            low: low.into(),
            refines: high != 0,
            restart_interval: self.reader.restart_interval,
            data: self.reader.at,
            is_followed: false,
        };
        self.quantization = quantization;
        for member in &pass.members {
            self.accuracy[member.component][pass.first..=pass.last].fill(low);
        }
        self.passes.push(pass);
        Ok(())
    }

    /// The scans without which some of the `wanted` coefficients would be others.
    ///
    /// A scan that refines can only be read by who knows which of its coefficients are not zero: it needs all scans
    /// before it that have one of these. Where the file does not end properly, its last scan is needed in any case,
    /// because that may be cut off, which would not be noticed otherwise.
    pub(crate) fn needed(&self, n: usize) -> Vec<&Pass> {
        let mut needed = [wanted(n); 3];
        let mut passes = Vec::with_capacity(self.passes.len());
        let mut forced = !self.ended;
        for pass in self.passes.iter().rev() {
            let band = pass.band();
            if pass.members.iter().any(|each| needed[each.component] & band != 0) || forced {
                passes.push(pass);
                if pass.refines {
                    for member in &pass.members {
                        needed[member.component] |= band;
                    }
                }
            }
            forced = false;
        }
        passes.reverse();
        passes
    }
}
