//! A writer of the small TIFF files that EXIF is made of.

/// One value of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Text; the closing NUL is added.
    Text(String),
    /// 16-bit numbers.
    Shorts(Vec<u16>),
    /// 32-bit numbers.
    Longs(Vec<u32>),
    /// Fractions: numerator and denominator.
    Rationals(Vec<(u32, u32)>),
    /// Bytes whose meaning the tag defines.
    Undefined(Vec<u8>),
    /// Another directory, found through this entry.
    Directory(Vec<Entry>),
}

/// A tag and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The tag's number.
    pub tag: u16,
    /// Its value.
    pub value: Value,
}

impl Entry {
    /// An entry.
    pub const fn new(tag: u16, value: Value) -> Self {
        Self { tag, value }
    }
}

/// A TIFF file of one directory, with directories under it, in the byte order of choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiff {
    /// Numbers begin with their most significant byte.
    pub big_endian: bool,
    /// The first directory's entries.
    pub entries: Vec<Entry>,
}

impl Tiff {
    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Out {
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

struct Out {
    big_endian: bool,
    bytes: Vec<u8>,
}

impl Out {
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

    /// Writes a directory here: first its table, then what does not fit into the table's four bytes.
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

    /// A value's four bytes in the table: itself where it fits, else where it was written.
    fn value(&mut self, value: &Value) -> [u8; 4] {
        let mut apart = Self {
            big_endian: self.big_endian,
            bytes: Vec::new(),
        };
        match value {
            Value::Bytes(bytes) | Value::Undefined(bytes) => apart.bytes.extend_from_slice(bytes),
            Value::Text(text) => {
                apart.bytes.extend_from_slice(text.as_bytes());
                apart.bytes.push(0);
            }
            Value::Shorts(numbers) => numbers.iter().for_each(|&number| apart.short(number)),
            Value::Longs(numbers) => numbers.iter().for_each(|&number| apart.long(number)),
            Value::Rationals(fractions) => {
                for &(numerator, denominator) in fractions {
                    apart.long(numerator);
                    apart.long(denominator);
                }
            }
            Value::Directory(_) => {}
        }
        let mut bytes = apart.bytes;
        if bytes.len() <= 4 {
            bytes.resize(4, 0);
            bytes.try_into().unwrap_or_default()
        } else {
            // Values begin on word boundaries.
            self.bytes.resize(self.bytes.len().next_multiple_of(2), 0);
            let at = self.position();
            self.bytes.append(&mut bytes);
            self.bytes.resize(self.bytes.len().next_multiple_of(2), 0);
            self.ordered(at)
        }
    }
}

impl Value {
    /// The type's number (TIFF 6.0, section 2) and how many of it there are.
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
    fn short_values_stay_in_the_table_and_long_ones_follow_it() {
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
            0x10, 1, 2, 0, 7, 0, 0, 0, 38, 0, 0, 0, // text, elsewhere
            0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, // number, here
            0, 0, 0, 0, // no further directory
            b'c', b'a', b'm', b'e', b'r', b'a', 0, 0,
        ];
        assert_eq!(file.bytes(), expected);
    }

    #[test]
    fn a_directory_is_found_where_its_entry_says() {
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
