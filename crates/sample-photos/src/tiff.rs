//! Writer of small TIFF files, the format of EXIF metadata.

/// Value of a TIFF entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// BYTE values.
    Bytes(Vec<u8>),
    /// ASCII text; the terminating NUL is added.
    Text(String),
    /// SHORT values (16 bits).
    Shorts(Vec<u16>),
    /// LONG values (32 bits).
    Longs(Vec<u32>),
    /// RATIONAL values: numerator and denominator.
    Rationals(Vec<(u32, u32)>),
    /// UNDEFINED: bytes whose meaning depends on the tag.
    Undefined(Vec<u8>),
    /// Offset of another directory with these entries.
    Directory(Vec<Entry>),
}

/// A tag and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Tag number.
    pub tag: u16,
    /// Value.
    pub value: Value,
}

impl Entry {
    /// Entry with this tag and value.
    pub const fn new(tag: u16, value: Value) -> Self {
        Self { tag, value }
    }
}

/// A TIFF file with one directory, which may refer to others, in either byte order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiff {
    /// True for big-endian byte order (`MM`), false for little-endian (`II`).
    pub big_endian: bool,
    /// Entries of the first directory.
    pub entries: Vec<Entry>,
}

impl Tiff {
    /// Encodes the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Writer {
            big_endian: self.big_endian,
            bytes: Vec::new(),
        };
        out.bytes
            .extend_from_slice(if self.big_endian { b"MM" } else { b"II" });
        out.short(42);
        out.long(8);
        out.directory(&self.entries);
        out.bytes
    }
}

struct Writer {
    big_endian: bool,
    bytes: Vec<u8>,
}

impl Writer {
    fn short(&mut self, number: u16) {
        let bytes = if self.big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        };
        self.bytes.extend_from_slice(&bytes);
    }

    fn long(&mut self, number: u32) {
        let bytes = self.ordered(number);
        self.bytes.extend_from_slice(&bytes);
    }

    const fn ordered(&self, number: u32) -> [u8; 4] {
        if self.big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    }

    fn position(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    /// Writes a directory at the current position: first its table, then the values of more than four bytes.
    fn directory(&mut self, entries: &[Entry]) {
        let mut sorted: Vec<&Entry> = entries.iter().collect();
        sorted.sort_by_key(|entry| entry.tag);
        self.short(u16::try_from(sorted.len()).unwrap_or(u16::MAX));
        let mut slots = Vec::new();
        for entry in &sorted {
            let (kind, count) = entry.value.kind_and_count();
            self.short(entry.tag);
            self.short(kind);
            self.long(count);
            slots.push(self.bytes.len());
            self.long(0);
        }
        self.long(0);
        for (entry, slot) in sorted.into_iter().zip(slots) {
            let inline = if let Value::Directory(entries) = &entry.value {
                let at = self.position();
                self.directory(entries);
                self.ordered(at)
            } else {
                self.value(&entry.value)
            };
            if let Some(place) = self.bytes.get_mut(slot..slot + 4) {
                place.copy_from_slice(&inline);
            }
        }
    }

    /// Last four bytes of a table entry: the value if it fits, otherwise the offset at which it is written.
    fn value(&mut self, value: &Value) -> [u8; 4] {
        let mut encoded = Self {
            big_endian: self.big_endian,
            bytes: Vec::new(),
        };
        match value {
            Value::Bytes(bytes) | Value::Undefined(bytes) => encoded.bytes.extend_from_slice(bytes),
            Value::Text(text) => {
                encoded.bytes.extend_from_slice(text.as_bytes());
                encoded.bytes.push(0);
            }
            Value::Shorts(numbers) => numbers.iter().for_each(|&number| encoded.short(number)),
            Value::Longs(numbers) => numbers.iter().for_each(|&number| encoded.long(number)),
            Value::Rationals(fractions) => {
                for &(numerator, denominator) in fractions {
                    encoded.long(numerator);
                    encoded.long(denominator);
                }
            }
            Value::Directory(_) => {}
        }
        let mut bytes = encoded.bytes;
        if bytes.len() <= 4 {
            bytes.resize(4, 0);
            bytes.try_into().unwrap_or_default()
        } else {
            // Values are aligned to word boundaries.
            self.bytes.resize(self.bytes.len().next_multiple_of(2), 0);
            let at = self.position();
            self.bytes.append(&mut bytes);
            self.bytes.resize(self.bytes.len().next_multiple_of(2), 0);
            self.ordered(at)
        }
    }
}

impl Value {
    /// Type number (TIFF 6.0, section 2) and number of values.
    fn kind_and_count(&self) -> (u16, u32) {
        let (kind, count) = match self {
            Self::Bytes(bytes) => (1, bytes.len()),
            Self::Text(text) => (2, text.len() + 1),
            Self::Shorts(numbers) => (3, numbers.len()),
            Self::Longs(numbers) => (4, numbers.len()),
            Self::Rationals(fractions) => (5, fractions.len()),
            Self::Undefined(bytes) => (7, bytes.len()),
            Self::Directory(_) => (4, 1),
        };
        (kind, u32::try_from(count).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_up_to_four_bytes_are_in_the_table() {
        let file = Tiff {
            big_endian: false,
            entries: vec![
                Entry::new(0x0110, Value::Text("camera".to_owned())),
                Entry::new(0x0112, Value::Shorts(vec![6])),
            ],
        };
        let expected: &[u8] = &[
            b'I', b'I', 42, 0, 8, 0, 0, 0, // header
            2, 0, // entries
            0x10, 1, 2, 0, 7, 0, 0, 0, 38, 0, 0, 0, // text, by offset
            0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, // number, inline
            0, 0, 0, 0, // no further directory
            b'c', b'a', b'm', b'e', b'r', b'a', 0, 0,
        ];
        assert_eq!(file.bytes(), expected);
    }

    #[test]
    fn a_directory_is_at_the_offset_of_its_entry() {
        let file = Tiff {
            big_endian: true,
            entries: vec![Entry::new(
                0x8769,
                Value::Directory(vec![Entry::new(0x8827, Value::Shorts(vec![200]))]),
            )],
        };
        let bytes = file.bytes();
        assert_eq!(bytes[18..22], [0, 0, 0, 26], "the offset in the table");
        assert_eq!(bytes[26..28], [0, 1], "one entry there");
        assert_eq!(bytes[28..40], [0x88, 0x27, 0, 3, 0, 0, 0, 1, 0, 200, 0, 0]);
    }
}
