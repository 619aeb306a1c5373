//! Image file directories (IFDs) of TIFF files, which Exif metadata consists of too (TIFF 6.0, section 2; Exif 2.32,
//! 4.6).
//!
//! Links from one directory to the next are not followed: callers read single directories by offset, and each has a
//! bound on its entries. A wrong offset or count makes a value missing and never causes more work.

/// Entries that are read of a directory; cameras write far fewer.
const MAX_ENTRIES: usize = 1024;

/// Reader of a TIFF structure in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IfdReader<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

/// An image file directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directory<'a> {
    tiff: IfdReader<'a>,
    entries: &'a [u8],
    /// Offset of the entries in the file.
    start: usize,
    is_truncated: bool,
    has_too_many_entries: bool,
}

/// Value of a tag: one item or a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    tiff: IfdReader<'a>,
    field_type: u16,
    bytes: &'a [u8],
}

impl<'a> IfdReader<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.first_chunk()? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let tiff = Self { bytes, big_endian };
        (tiff.short(bytes.get(2..)?)? == 42).then_some(tiff)
    }

    /// First directory of the file.
    pub(crate) fn first(self) -> Option<Directory<'a>> {
        self.directory(self.long(self.bytes.get(4..)?)?)
    }

    /// Directory at this offset.
    pub(crate) fn directory(self, offset: u32) -> Option<Directory<'a>> {
        let offset = usize::try_from(offset).ok()?;
        let from = self.bytes.get(offset..)?;
        let declared_count = usize::from(self.short(from)?);
        let count = declared_count.min(MAX_ENTRIES);
        let table = from.get(2..)?;
        // A directory that extends beyond the end of the file is read up to the end.
        let entries = table.get(..count * 12).unwrap_or(table);
        Some(Directory {
            tiff: self,
            entries,
            start: offset + 2,
            is_truncated: entries.len() < count * 12,
            has_too_many_entries: declared_count > MAX_ENTRIES,
        })
    }

    fn short(self, bytes: &[u8]) -> Option<u16> {
        let bytes = *bytes.first_chunk()?;
        Some(if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn long(self, bytes: &[u8]) -> Option<u32> {
        let bytes = *bytes.first_chunk()?;
        Some(if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }
}

impl<'a> Directory<'a> {
    /// Returns true if the file ends before the directory does, or before this tag's value.
    pub(crate) fn is_truncated_at(self, tag: u16) -> bool {
        let has_entry = || {
            let mut entries = self.entries.chunks_exact(12);
            entries.any(|entry| {
                let field_type = entry.get(2..).and_then(|field_type| self.tiff.short(field_type));
                self.tiff.short(entry) == Some(tag) && field_type.and_then(type_size).is_some()
            })
        };
        self.is_truncated || (self.get(tag).is_none() && has_entry())
    }

    /// Returns true if an entry of this tag has another type than BYTE, SHORT or LONG.
    pub(crate) fn has_non_integer(self, tag: u16) -> bool {
        let mut entries = self
            .entries
            .chunks_exact(12)
            .filter(|entry| self.tiff.short(entry) == Some(tag));
        let is_integer = |entry: &[u8]| {
            let field_type = entry.get(2..).and_then(|field_type| self.tiff.short(field_type));
            matches!(field_type, Some(BYTE | SHORT | LONG))
        };
        !entries.all(is_integer)
    }

    /// Returns true if the directory declares more than [`MAX_ENTRIES`] entries.
    pub(crate) const fn has_too_many_entries(self) -> bool {
        self.has_too_many_entries
    }

    /// Returns true if a tag below `end` has two entries that differ: readers disagree on the one that counts.
    pub(crate) fn has_conflicting_entries(self, end: u16) -> bool {
        let tag = |entry: &[u8]| self.tiff.short(entry).filter(|&tag| tag < end);
        let mut entries: Vec<_> = self.entries.chunks_exact(12).collect();
        entries.sort_by_key(|entry| tag(entry));
        entries
            .array_windows()
            .any(|[one, other]| tag(one).is_some() && tag(one) == tag(other) && one != other)
    }

    /// Length of the longest list among the tags below `end`, at most the length of the file in bytes.
    pub(crate) fn max_list_length(self, end: u16) -> usize {
        let lists = self.entries.chunks_exact(12).filter_map(|entry| {
            let is_list = self.tiff.short(entry)? < end && self.tiff.short(entry.get(2..)?)? != ASCII;
            let count = usize::try_from(self.tiff.long(entry.get(4..)?)?).ok()?;
            is_list.then_some(count.min(self.tiff.bytes.len()))
        });
        lists.max().unwrap_or(0)
    }

    /// Offset in the file of the least significant byte of a tag's single integer. Of several entries the last one
    /// counts, as in the `tiff` crate.
    pub(crate) fn low_byte_offset(self, tag: u16) -> Option<usize> {
        let mut entries = self.entries.chunks_exact(12).enumerate();
        let (index, entry) = entries.rfind(|(_, entry)| self.tiff.short(entry) == Some(tag))?;
        let size = match (
            self.tiff.short(entry.get(2..)?)?,
            self.tiff.long(entry.get(4..)?)?,
        ) {
            (field_type @ (BYTE | SHORT | LONG), 1) => type_size(field_type)?,
            _ => return None,
        };
        let low_byte = if self.tiff.big_endian { size - 1 } else { 0 };
        Some(self.start + index * 12 + 8 + low_byte)
    }

    /// Value of a tag, by its first readable entry.
    pub(crate) fn get(self, tag: u16) -> Option<Value<'a>> {
        let tiff = self.tiff;
        let mut entries = self.entries.chunks_exact(12);
        entries.find_map(|entry| {
            if tiff.short(entry)? != tag {
                return None;
            }
            let field_type = tiff.short(entry.get(2..)?)?;
            let count = usize::try_from(tiff.long(entry.get(4..)?)?).ok()?;
            let length = type_size(field_type)?.checked_mul(count)?;
            let inline = entry.get(8..)?;
            let bytes = if length <= 4 {
                inline.get(..length)?
            } else {
                let offset = usize::try_from(tiff.long(inline)?).ok()?;
                tiff.bytes.get(offset..offset.checked_add(length)?)?
            };
            Some(Value {
                tiff,
                field_type,
                bytes,
            })
        })
    }
}

const BYTE: u16 = 1;
const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
const UNDEFINED: u16 = 7;
const SRATIONAL: u16 = 10;
/// Text in UTF-8, since Exif 3.0.
const UTF8: u16 = 129;

const fn type_size(field_type: u16) -> Option<usize> {
    match field_type {
        BYTE | ASCII | UNDEFINED | UTF8 => Some(1),
        SHORT => Some(2),
        LONG => Some(4),
        RATIONAL | SRATIONAL => Some(8),
        _ => None,
    }
}

impl<'a> Value<'a> {
    /// Bytes of a text, without the NUL that ends it.
    pub(crate) fn text(self) -> Option<&'a [u8]> {
        matches!(self.field_type, ASCII | UTF8).then(|| {
            let end = self.bytes.iter().position(|&byte| byte == 0);
            self.bytes
                .get(..end.unwrap_or(self.bytes.len()))
                .unwrap_or_default()
        })
    }

    /// First integer.
    pub(crate) fn integer(self) -> Option<u32> {
        self.integers().next()
    }

    /// All integers; none if the value has another type.
    pub(crate) fn integers(self) -> impl Iterator<Item = u32> + 'a {
        let tiff = self.tiff;
        let numbers = match self.field_type {
            BYTE | SHORT | LONG => self.bytes,
            _ => &[],
        };
        let size = type_size(self.field_type).unwrap_or(1);
        numbers.chunks_exact(size).filter_map(move |number| match number {
            [byte] => Some(u32::from(*byte)),
            [_, _] => tiff.short(number).map(u32::from),
            _ => tiff.long(number),
        })
    }

    /// Bytes of the value as stored in the file.
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Rational number at an index; `None` if it is missing or its denominator is 0.
    pub(crate) fn rational(self, index: usize) -> Option<f64> {
        let bytes = self.bytes.get(index * 8..)?;
        let (numerator, denominator) = (self.tiff.long(bytes)?, self.tiff.long(bytes.get(4..)?)?);
        let value = match self.field_type {
            RATIONAL => f64::from(numerator) / f64::from(denominator),
            SRATIONAL => f64::from(numerator.cast_signed()) / f64::from(denominator.cast_signed()),
            _ => return None,
        };
        value.is_finite().then_some(value)
    }
}
