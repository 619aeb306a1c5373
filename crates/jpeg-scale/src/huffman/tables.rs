//! Look-up tables of sequential scans.

use super::code::{Code, extend};
use super::entry::{DC_BITS, DC_SIZE, END_OF_BLOCK, Entry, LOOKUP_BITS, LOOKUP_SIZE, Lookup, Parts, Skip};

/// Codes have 16 bits at most.
const CODE_BITS: u32 = 16;

/// More bits than a look-up may consume in common files, so that two fit into the bits of one refill.
const MOST_CONSUMED: u32 = 22;

/// A symbol as what it does to the position in the block.
#[derive(Clone, Copy)]
enum Step {
    End,
    Zeros,
    Coefficient { run: usize, size: u32 },
}

impl Step {
    fn of_ac(symbol: u8) -> Self {
        match (symbol >> 4, symbol & 15) {
            (15, 0) => Self::Zeros,
            (_, 0) => Self::End,
            (run, size) => Self::Coefficient {
                run: usize::from(run),
                size: u32::from(size),
            },
        }
    }
}

/// Everything that is looked up for one pair of a DC and an AC table.
pub(crate) struct Tables {
    /// A DC coefficient, and the AC coefficient behind it.
    pub(crate) dc: Box<[Entry; DC_SIZE]>,
    pub(crate) ac: Box<Lookup>,
    pub(crate) skip: Box<[Skip; LOOKUP_SIZE]>,
    /// AC codes that are too long for a look-up, from `long_from` on by their next 16 bits.
    long: Vec<Entry>,
    long_from: usize,
    pub(crate) dc_code: Code,
    pub(crate) ac_code: Code,
}

/// Symbols by the bits that they begin with: the length of their code, 0 if it is longer or none.
type Symbols = [(u8, u8); LOOKUP_SIZE];

fn short_symbols(code: &Code) -> Symbols {
    let mut table = [(0, 0); LOOKUP_SIZE];
    let mut at = 0;
    for (length, symbols) in code.lengths().take(LOOKUP_BITS as usize) {
        let width = LOOKUP_SIZE >> length;
        for &symbol in symbols {
            table[at..at + width].fill((length as u8, symbol));
            at += width;
        }
    }
    table
}

impl Tables {
    pub(crate) fn new(dc_code: &Code, ac_code: &Code) -> Self {
        let dc_symbols = short_symbols(dc_code);
        let symbols = short_symbols(ac_code);
        let of_dc = |index: usize| {
            let (length, symbol) = dc_symbols[index];
            // Sizes above 15 do not exist: an escape, which is found invalid then.
            let length = if symbol > 15 || u32::from(length) > DC_BITS {
                0
            } else {
                length
            };
            (
                length,
                Step::Coefficient {
                    run: 0,
                    size: u32::from(symbol & 15),
                },
            )
        };
        let of_ac = |index: usize| (symbols[index].0, Step::of_ac(symbols[index].1));
        let short = symbols
            .iter()
            .rposition(|&(length, _)| length > 0)
            .map_or(0, |last| last + 1);
        let long_from = short << (CODE_BITS - LOOKUP_BITS);
        let mut tables = Self {
            dc: Box::new([Entry::ESCAPE; DC_SIZE]),
            ac: Box::new([Entry::ESCAPE; LOOKUP_SIZE]),
            skip: skips(&symbols),
            long: long_entries(ac_code),
            long_from,
            dc_code: dc_code.clone(),
            ac_code: ac_code.clone(),
        };
        entries(of_dc, &symbols, &mut tables.dc);
        entries(of_ac, &symbols, &mut tables.ac);
        tables
    }

    /// The entry of an AC code that the look-up is too narrow for; an escape if it is invalid.
    #[cold]
    #[inline(never)]
    pub(crate) fn long_code(&self, bits: u64) -> Entry {
        let index = ((bits >> (64 - CODE_BITS)) as usize).wrapping_sub(self.long_from);
        self.long.get(index).copied().unwrap_or(Entry::ESCAPE)
    }
}

fn entries<const SIZE: usize>(
    first: impl Fn(usize) -> (u8, Step),
    symbols: &Symbols,
    table: &mut [Entry; SIZE],
) {
    let width = SIZE.ilog2();
    for (index, entry) in table.iter_mut().enumerate() {
        let index = index << (LOOKUP_BITS - width);
        let (length, step) = first(index);
        if length > 0 {
            let parts = pair(index, width, u32::from(length), step, symbols);
            if parts.consume <= MOST_CONSUMED {
                *entry = parts.pack();
            }
        }
    }
}

/// The entries of the codes that are longer than a look-up, which follow the shorter ones in their order.
fn long_entries(code: &Code) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (length, symbols) in code.lengths().skip(LOOKUP_BITS as usize) {
        for &symbol in symbols {
            let entry = Parts::alone(length, Step::of_ac(symbol)).pack();
            entries.resize(entries.len() + (1 << (CODE_BITS - length)), entry);
        }
    }
    entries
}

impl Parts {
    /// A code of this length and no other.
    fn alone(length: u32, step: Step) -> Self {
        let nothing = Self {
            consume: length,
            before_magnitude: length,
            size: 0,
            first: 0,
            advance: 0,
            first_at: 0,
            second_at: 0,
        };
        match step {
            Step::End => Self {
                advance: END_OF_BLOCK,
                ..nothing
            },
            Step::Zeros => Self {
                advance: 16,
                ..nothing
            },
            Step::Coefficient { run, size } => Self {
                consume: length + size,
                size,
                advance: run + 1,
                // A zero, in front of the coefficient where there is a run, else behind it.
                first_at: usize::from(run == 0),
                second_at: run,
                ..nothing
            },
        }
    }
}

/// What the top `width` bits of `index` hold, which begin with a code of this length.
fn pair(index: usize, width: u32, length: u32, step: Step, symbols: &Symbols) -> Parts {
    let alone = Parts::alone(length, step);
    let Step::Coefficient { run, size } = step else {
        return alone;
    };
    let used = length + size;
    // The value of the first coefficient has a byte.
    if used >= width || size > 7 {
        return alone;
    }
    let next = |used: u32| {
        let (length, symbol) = symbols[(index << used) & (LOOKUP_SIZE - 1)];
        let length = u32::from(length);
        (length > 0 && used + length <= width).then(|| (length, Step::of_ac(symbol)))
    };
    let Some((next_length, next_step)) = next(used) else {
        return alone;
    };
    let raw = (index >> (LOOKUP_BITS - used)) as u32 & ((1 << size) - 1);
    let behind = Parts::alone(next_length, next_step);
    let mut parts = Parts {
        consume: used + behind.consume,
        before_magnitude: used + behind.before_magnitude,
        size: behind.size,
        first: extend(raw, size),
        first_at: run,
        second_at: run + 1 + behind.second_at,
        advance: run + 1 + behind.advance,
    };
    if parts.advance < END_OF_BLOCK
        && parts.consume < width
        && let Some((length, Step::End)) = next(parts.consume)
    {
        parts.consume += length;
        parts.advance += END_OF_BLOCK;
    }
    parts
}

fn skips(symbols: &Symbols) -> Box<[Skip; LOOKUP_SIZE]> {
    let mut table = Box::new([Skip(0); LOOKUP_SIZE]);
    for (index, entry) in table.iter_mut().enumerate() {
        let (mut consume, mut advance) = (0, 0);
        // Ten bits are left for the position; and there is no more in a block.
        while consume < LOOKUP_BITS && advance < 64 {
            let (length, symbol) = symbols[(index << consume) & (LOOKUP_SIZE - 1)];
            let length = u32::from(length);
            if length == 0 || consume + length > LOOKUP_BITS {
                break;
            }
            let parts = Parts::alone(length, Step::of_ac(symbol));
            // From anywhere in a block, coefficients alone must not lead to where only its end does.
            if parts.advance < END_OF_BLOCK && advance + parts.advance > 64 {
                break;
            }
            consume += parts.consume;
            advance += parts.advance;
        }
        *entry = Skip((consume | (advance as u32) << 6) as u16);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A code of so many codes of each length, with symbols that differ.
    fn code(counts: [u8; 16]) -> Code {
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let symbols: Vec<u8> = (0..=u8::MAX).cycle().skip(7).take(total).collect();
        Code::new(counts, &symbols).unwrap()
    }

    #[test]
    fn long_codes_are_those_that_the_standard_finds() {
        let plain = code([1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for counts in [
            [1; 16],
            [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 160],
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 0, 9, 1, 46],
        ] {
            let code = code(counts);
            let tables = Tables::new(&plain, &code);
            for index in tables.long_from..1 << CODE_BITS {
                let bits = (index as u64) << (64 - CODE_BITS);
                let wanted = match code.symbol(bits) {
                    Some((length, symbol)) => Parts::alone(length, Step::of_ac(symbol)).pack(),
                    None => Entry::ESCAPE,
                };
                assert_eq!(tables.long_code(bits).0, wanted.0, "{counts:?}, {index:016b}");
            }
        }
    }
}
