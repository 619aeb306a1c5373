//! Look-up tables of sequential scans.

use super::code::{Code, extend};
use super::entry::{
    AcLookup, DC_BITS, DC_SIZE, END_OF_BLOCK, Entry, EntryParts, LOOKUP_BITS, LOOKUP_SIZE, SkipEntry,
};

/// Maximum length of a code in bits.
const CODE_BITS: u32 = 16;

/// Maximum number of bits that an entry consumes, so that one refill is enough for two. Entries of common
/// files stay below it.
const MAX_CONSUMED: u32 = 22;

/// Meaning of an AC symbol.
#[derive(Clone, Copy)]
enum Symbol {
    EndOfBlock,
    ZeroRun,
    Coefficient { run: usize, size: u32 },
}

impl Symbol {
    fn from_ac(symbol: u8) -> Self {
        match (symbol >> 4, symbol & 15) {
            (15, 0) => Self::ZeroRun,
            (_, 0) => Self::EndOfBlock,
            (run, size) => Self::Coefficient {
                run: usize::from(run),
                size: u32::from(size),
            },
        }
    }
}

/// Look-up tables of one DC and one AC code.
pub(crate) struct Tables {
    /// Entries of a DC coefficient and the AC coefficient after it.
    pub(crate) dc: Box<[Entry; DC_SIZE]>,
    pub(crate) ac: Box<AcLookup>,
    pub(crate) skip: Box<[SkipEntry; LOOKUP_SIZE]>,
    /// Entries of AC codes that are longer than the lookahead bits, indexed by their next 16 bits less
    /// `first_long_index`.
    long_codes: Vec<Entry>,
    first_long_index: usize,
    pub(crate) dc_code: Code,
    pub(crate) ac_code: Code,
}

/// Code length and symbol for each value of the lookahead bits; length 0 if the code is longer or invalid.
type PrefixSymbols = [(u8, u8); LOOKUP_SIZE];

fn symbols_by_prefix(code: &Code) -> PrefixSymbols {
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
        let dc_symbols = symbols_by_prefix(dc_code);
        let symbols = symbols_by_prefix(ac_code);
        let dc_symbol = |index: usize| {
            let (length, symbol) = dc_symbols[index];
            // Sizes above 15 do not exist: an escape leads to the symbol-by-symbol decoder, which rejects
            // them.
            let length = if symbol > 15 || u32::from(length) > DC_BITS {
                0
            } else {
                length
            };
            (
                length,
                Symbol::Coefficient {
                    run: 0,
                    size: u32::from(symbol & 15),
                },
            )
        };
        let ac_symbol = |index: usize| (symbols[index].0, Symbol::from_ac(symbols[index].1));
        let short_end = symbols
            .iter()
            .rposition(|&(length, _)| length > 0)
            .map_or(0, |last| last + 1);
        let first_long_index = short_end << (CODE_BITS - LOOKUP_BITS);
        let mut tables = Self {
            dc: Box::new([Entry::ESCAPE; DC_SIZE]),
            ac: Box::new([Entry::ESCAPE; LOOKUP_SIZE]),
            skip: skip_table(&symbols),
            long_codes: long_code_entries(ac_code),
            first_long_index,
            dc_code: dc_code.clone(),
            ac_code: ac_code.clone(),
        };
        fill_entries(dc_symbol, &symbols, &mut tables.dc);
        fill_entries(ac_symbol, &symbols, &mut tables.ac);
        tables
    }

    /// Entry of an AC code that is longer than the lookahead bits; an escape if it is invalid.
    #[cold]
    #[inline(never)]
    pub(crate) fn long_code(&self, bits: u64) -> Entry {
        let index = ((bits >> (64 - CODE_BITS)) as usize).wrapping_sub(self.first_long_index);
        self.long_codes.get(index).copied().unwrap_or(Entry::ESCAPE)
    }
}

fn fill_entries<const SIZE: usize>(
    first: impl Fn(usize) -> (u8, Symbol),
    symbols: &PrefixSymbols,
    table: &mut [Entry; SIZE],
) {
    let width = SIZE.ilog2();
    for (index, entry) in table.iter_mut().enumerate() {
        let index = index << (LOOKUP_BITS - width);
        let (length, symbol) = first(index);
        if length > 0 {
            let parts = entry_parts(index, width, u32::from(length), symbol, symbols);
            if parts.consume <= MAX_CONSUMED {
                *entry = parts.pack();
            }
        }
    }
}

/// Entries of the codes that are longer than the lookahead bits. In a canonical code these follow the shorter
/// ones.
fn long_code_entries(code: &Code) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (length, symbols) in code.lengths().skip(LOOKUP_BITS as usize) {
        for &symbol in symbols {
            let entry = EntryParts::single(length, Symbol::from_ac(symbol)).pack();
            entries.resize(entries.len() + (1 << (CODE_BITS - length)), entry);
        }
    }
    entries
}

impl EntryParts {
    /// A single code of this length.
    fn single(length: u32, symbol: Symbol) -> Self {
        let empty = Self {
            consume: length,
            before_magnitude: length,
            size: 0,
            first: 0,
            advance: 0,
            first_offset: 0,
            second_offset: 0,
        };
        match symbol {
            Symbol::EndOfBlock => Self {
                advance: END_OF_BLOCK,
                ..empty
            },
            Symbol::ZeroRun => Self { advance: 16, ..empty },
            Symbol::Coefficient { run, size } => Self {
                consume: length + size,
                size,
                advance: run + 1,
                // The missing coefficient is a zero, before the other if there is a run, otherwise after it.
                first_offset: usize::from(run == 0),
                second_offset: run,
                ..empty
            },
        }
    }
}

/// Content of the top `width` bits of `index`, which begin with a code of this length.
fn entry_parts(index: usize, width: u32, length: u32, symbol: Symbol, symbols: &PrefixSymbols) -> EntryParts {
    let single = EntryParts::single(length, symbol);
    let Symbol::Coefficient { run, size } = symbol else {
        return single;
    };
    let used = length + size;
    // The entry has 8 bits for the value of the first coefficient.
    if used >= width || size > 7 {
        return single;
    }
    let next_symbol = |used: u32| {
        let (length, symbol) = symbols[(index << used) & (LOOKUP_SIZE - 1)];
        let length = u32::from(length);
        (length > 0 && used + length <= width).then(|| (length, Symbol::from_ac(symbol)))
    };
    let Some((second_length, second_symbol)) = next_symbol(used) else {
        return single;
    };
    let raw = (index >> (LOOKUP_BITS - used)) as u32 & ((1 << size) - 1);
    let second = EntryParts::single(second_length, second_symbol);
    let mut parts = EntryParts {
        consume: used + second.consume,
        before_magnitude: used + second.before_magnitude,
        size: second.size,
        first: extend(raw, size),
        first_offset: run,
        second_offset: run + 1 + second.second_offset,
        advance: run + 1 + second.advance,
    };
    if parts.advance < END_OF_BLOCK
        && parts.consume < width
        && let Some((length, Symbol::EndOfBlock)) = next_symbol(parts.consume)
    {
        parts.consume += length;
        parts.advance += END_OF_BLOCK;
    }
    parts
}

fn skip_table(symbols: &PrefixSymbols) -> Box<[SkipEntry; LOOKUP_SIZE]> {
    let mut table = Box::new([SkipEntry(0); LOOKUP_SIZE]);
    for (index, entry) in table.iter_mut().enumerate() {
        let (mut consume, mut advance) = (0, 0);
        // `advance` has ten bits, and a block has no more than 64 coefficients.
        while consume < LOOKUP_BITS && advance < 64 {
            let (length, symbol) = symbols[(index << consume) & (LOOKUP_SIZE - 1)];
            let length = u32::from(length);
            if length == 0 || consume + length > LOOKUP_BITS {
                break;
            }
            let parts = EntryParts::single(length, Symbol::from_ac(symbol));
            // From any position in a block, coefficients alone must not advance as far as the end of the
            // block does.
            if parts.advance < END_OF_BLOCK && advance + parts.advance > 64 {
                break;
            }
            consume += parts.consume;
            advance += parts.advance;
        }
        *entry = SkipEntry((consume | (advance as u32) << 6) as u16);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A code with these counts of codes and cyclic symbols.
    fn code(counts: [u8; 16]) -> Code {
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let symbols: Vec<u8> = (0..=u8::MAX).cycle().skip(7).take(total).collect();
        Code::new(counts, &symbols).unwrap()
    }

    #[test]
    fn long_codes_are_those_that_the_standard_finds() {
        let dc_code = code([1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for counts in [
            [1; 16],
            [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 160],
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 0, 9, 1, 46],
        ] {
            let code = code(counts);
            let tables = Tables::new(&dc_code, &code);
            for index in tables.first_long_index..1 << CODE_BITS {
                let bits = (index as u64) << (64 - CODE_BITS);
                let expected = match code.symbol(bits) {
                    Some((length, symbol)) => EntryParts::single(length, Symbol::from_ac(symbol)).pack(),
                    None => Entry::ESCAPE,
                };
                assert_eq!(tables.long_code(bits).0, expected.0, "{counts:?}, {index:016b}");
            }
        }
    }
}
