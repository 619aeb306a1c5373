//! A reader of TIFF files' directories, which EXIF is made of too (TIFF 6.0; EXIF 2.32, 4.6).
//!
//! It follows no chains: a reader of metadata looks at three directories whose places it knows, each with a bound on its
//! entries. Wrong offsets and counts make a value missing, never more work.

/// No camera writes more into one directory.
const MOST_ENTRIES: usize = 1024;

/// A TIFF file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

/// A directory of values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directory<'a> {
    tiff: Tiff<'a>,
    entries: &'a [u8],
    /// Where in the file they are.
    start: usize,
    is_cut: bool,
    is_crowded: bool,
}

/// The value of one tag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    tiff: Tiff<'a>,
    kind: u16,
    bytes: &'a [u8],
}

impl<'a> Tiff<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.first_chunk()? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let tiff = Self { bytes, big_endian };
        (tiff.short(bytes.get(2..)?)? == 42).then_some(tiff)
    }

    /// The first directory.
    pub(crate) fn first(self) -> Option<Directory<'a>> {
        self.directory(self.long(self.bytes.get(4..)?)?)
    }

    /// The directory at a place.
    pub(crate) fn directory(self, offset: u32) -> Option<Directory<'a>> {
        let offset = usize::try_from(offset).ok()?;
        let from = self.bytes.get(offset..)?;
        let announced = usize::from(self.short(from)?);
        let count = announced.min(MOST_ENTRIES);
        let table = from.get(2..)?;
        // A table that runs over the end is read as far as it goes.
        let entries = table.get(..count * 12).unwrap_or(table);
        Some(Directory {
            tiff: self,
            entries,
            start: offset + 2,
            is_cut: entries.len() < count * 12,
            is_crowded: announced > MOST_ENTRIES,
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
    /// Whether the file ends before the directory does, or before this tag's value.
    pub(crate) fn is_cut_at(self, tag: u16) -> bool {
        let is_named = || {
            let mut entries = self.entries.chunks_exact(12);
            entries.any(|entry| {
                let kind = entry.get(2..).and_then(|kind| self.tiff.short(kind));
                self.tiff.short(entry) == Some(tag) && kind.and_then(size_of_kind).is_some()
            })
        };
        self.is_cut || (self.get(tag).is_none() && is_named())
    }

    /// Whether this tag is named with what are no numbers, or of a kind that is not known here.
    pub(crate) fn is_obscure(self, tag: u16) -> bool {
        let mut named = self
            .entries
            .chunks_exact(12)
            .filter(|entry| self.tiff.short(entry) == Some(tag));
        let is_number = |entry: &[u8]| {
            let kind = entry.get(2..).and_then(|kind| self.tiff.short(kind));
            matches!(kind, Some(BYTE | SHORT | LONG))
        };
        !named.all(is_number)
    }

    /// Whether there are more entries than are looked at.
    pub(crate) const fn is_crowded(self) -> bool {
        self.is_crowded
    }

    /// Whether a tag below this one is named twice, with different values: readers differ in which one they believe.
    pub(crate) fn is_ambiguous(self, below: u16) -> bool {
        let tag = |entry: &[u8]| self.tiff.short(entry).filter(|&tag| tag < below);
        let mut entries: Vec<_> = self.entries.chunks_exact(12).collect();
        entries.sort_by_key(|entry| tag(entry));
        entries
            .array_windows()
            .any(|[one, other]| tag(one).is_some() && tag(one) == tag(other) && one != other)
    }

    /// How many values the longest list of a tag below this one has, as far as the file can hold them.
    pub(crate) fn longest(self, below: u16) -> usize {
        let lists = self.entries.chunks_exact(12).filter_map(|entry| {
            let is_list = self.tiff.short(entry)? < below && self.tiff.short(entry.get(2..)?)? != TEXT;
            let count = usize::try_from(self.tiff.long(entry.get(4..)?)?).ok()?;
            is_list.then_some(count.min(self.tiff.bytes.len()))
        });
        lists.max().unwrap_or(0)
    }

    /// Where in the file the last digit stands of a tag's only number; of a tag that is named twice, in the last place,
    /// which counts for the decoder.
    pub(crate) fn place_of_digit(self, tag: u16) -> Option<usize> {
        let mut entries = self.entries.chunks_exact(12).enumerate();
        let (index, entry) = entries.rfind(|(_, entry)| self.tiff.short(entry) == Some(tag))?;
        let size = match (
            self.tiff.short(entry.get(2..)?)?,
            self.tiff.long(entry.get(4..)?)?,
        ) {
            (kind @ (BYTE | SHORT | LONG), 1) => size_of_kind(kind)?,
            _ => return None,
        };
        let digit = if self.tiff.big_endian { size - 1 } else { 0 };
        Some(self.start + index * 12 + 8 + digit)
    }

    /// A tag's value: the first that can be read.
    pub(crate) fn get(self, tag: u16) -> Option<Value<'a>> {
        let tiff = self.tiff;
        let mut entries = self.entries.chunks_exact(12);
        entries.find_map(|entry| {
            if tiff.short(entry)? != tag {
                return None;
            }
            let kind = tiff.short(entry.get(2..)?)?;
            let count = usize::try_from(tiff.long(entry.get(4..)?)?).ok()?;
            let length = size_of_kind(kind)?.checked_mul(count)?;
            let place = entry.get(8..)?;
            let bytes = if length <= 4 {
                place.get(..length)?
            } else {
                let offset = usize::try_from(tiff.long(place)?).ok()?;
                tiff.bytes.get(offset..offset.checked_add(length)?)?
            };
            Some(Value { tiff, kind, bytes })
        })
    }
}

const BYTE: u16 = 1;
const TEXT: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
const UNDEFINED: u16 = 7;
const SIGNED_RATIONAL: u16 = 10;
/// EXIF 3.0
const UTF8: u16 = 129;

const fn size_of_kind(kind: u16) -> Option<usize> {
    match kind {
        BYTE | TEXT | UNDEFINED | UTF8 => Some(1),
        SHORT => Some(2),
        LONG => Some(4),
        RATIONAL | SIGNED_RATIONAL => Some(8),
        _ => None,
    }
}

impl<'a> Value<'a> {
    /// A text's bytes up to the NUL that ends it.
    pub(crate) fn text(self) -> Option<&'a [u8]> {
        matches!(self.kind, TEXT | UTF8).then(|| {
            let end = self.bytes.iter().position(|&byte| byte == 0);
            self.bytes
                .get(..end.unwrap_or(self.bytes.len()))
                .unwrap_or_default()
        })
    }

    /// The first number.
    pub(crate) fn integer(self) -> Option<u32> {
        self.integers().next()
    }

    /// All numbers; none if these are no numbers.
    pub(crate) fn integers(self) -> impl Iterator<Item = u32> + 'a {
        let tiff = self.tiff;
        let numbers = match self.kind {
            BYTE | SHORT | LONG => self.bytes,
            _ => &[],
        };
        let size = size_of_kind(self.kind).unwrap_or(1);
        numbers.chunks_exact(size).filter_map(move |number| match number {
            [byte] => Some(u32::from(*byte)),
            [_, _] => tiff.short(number).map(u32::from),
            _ => tiff.long(number),
        })
    }

    /// The value as it stands in the file.
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// A fraction; `None` where there is none or its denominator is 0.
    pub(crate) fn fraction(self, index: usize) -> Option<f64> {
        let bytes = self.bytes.get(index * 8..)?;
        let (numerator, denominator) = (self.tiff.long(bytes)?, self.tiff.long(bytes.get(4..)?)?);
        let value = match self.kind {
            RATIONAL => f64::from(numerator) / f64::from(denominator),
            SIGNED_RATIONAL => f64::from(numerator.cast_signed()) / f64::from(denominator.cast_signed()),
            _ => return None,
        };
        value.is_finite().then_some(value)
    }
}
