//! A plain writer of TIFF files, for kinds and damage that no encoder gives.

use rapidphoto_sample_photos::{Entry, Tiff, Value};

/// A file of this kind.
#[derive(Clone)]
pub(crate) struct Picture {
    pub(crate) size: (u32, u32),
    pub(crate) bits: u16,
    pub(crate) samples: u16,
    pub(crate) photometric: u16,
    pub(crate) big_endian: bool,
    /// Width and height of tiles, or rows of a strip alone.
    pub(crate) chunk: (Option<u32>, u32),
    /// Each sample of a pixel in a plane of its own.
    pub(crate) apart: bool,
    /// What else the directory says; entries in place of the usual ones too.
    pub(crate) entries: Vec<Entry>,
}

pub(crate) fn short(tag: u16, value: u16) -> Entry {
    Entry::new(tag, Value::Shorts(vec![value]))
}

pub(crate) fn shorts(tag: u16, values: Vec<u16>) -> Entry {
    Entry::new(tag, Value::Shorts(values))
}

pub(crate) fn longs(tag: u16, values: &[u32]) -> Entry {
    Entry::new(tag, Value::Longs(values.to_vec()))
}

/// Strips or tiles that are JPEG files, and the tables that they have in common.
pub(crate) struct Jpegs {
    pub(crate) tables: Vec<u8>,
    pub(crate) chunks: Vec<Vec<u8>>,
}

impl Jpegs {
    /// From files that an encoder made alike: the tables of the first are those of all.
    pub(crate) fn of(files: &[Vec<u8>]) -> Self {
        let mut tables = Vec::new();
        let chunks = files.iter().map(|file| {
            let (own, chunk) = apart(file);
            tables = own;
            chunk
        });
        Self {
            chunks: chunks.collect(),
            tables,
        }
    }
}

/// A JPEG file's tables, as a file of their own, and the file without them.
fn apart(file: &[u8]) -> (Vec<u8>, Vec<u8>) {
    const BEGIN: [u8; 2] = [0xFF, 0xD8];
    let (mut tables, mut chunk) = (BEGIN.to_vec(), BEGIN.to_vec());
    let mut at = 2;
    while file[at + 1] != 0xDA {
        let end = at + 2 + usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
        let is_table = matches!(file[at + 1], 0xDB | 0xC4);
        let to = if is_table { &mut tables } else { &mut chunk };
        to.extend(&file[at..end]);
        at = end;
    }
    tables.extend([0xFF, 0xD9]);
    chunk.extend(&file[at..]);
    (tables, chunk)
}

impl Picture {
    pub(crate) fn new(size: (u32, u32), bits: u16, samples: u16, photometric: u16) -> Self {
        Self {
            size,
            bits,
            samples,
            photometric,
            big_endian: false,
            chunk: (None, 64),
            apart: false,
            entries: Vec::new(),
        }
    }

    /// The file; `pixel` gives the samples of a pixel, each as large as the bits allow.
    pub(crate) fn file(&self, pixel: impl Fn(u32, u32) -> Vec<u16>) -> Vec<u8> {
        let (width, height) = self.size;
        let (across, down) = (self.chunk.0.unwrap_or(width), self.chunk.1);
        let planes: Vec<_> = if self.apart {
            (0..usize::from(self.samples))
                .map(|plane| plane..plane + 1)
                .collect()
        } else {
            std::iter::once(0..usize::from(self.samples)).collect()
        };
        let mut chunks = Vec::new();
        for samples in planes {
            for top in (0..height).step_by(down as usize) {
                for left in (0..width).step_by(across as usize) {
                    // Strips end with the picture; tiles are filled up.
                    let is_tile = self.chunk.0.is_some();
                    let bottom = if is_tile {
                        top + down
                    } else {
                        (top + down).min(height)
                    };
                    let mut chunk = Vec::new();
                    for y in top..bottom {
                        let row: Vec<u16> = (left..left + across)
                            .flat_map(|x| {
                                pixel(x.min(width - 1), y.min(height - 1))[samples.clone()].to_vec()
                            })
                            .collect();
                        chunk.extend(self.packed(&row));
                    }
                    chunks.push(chunk);
                }
            }
        }
        self.around(&chunks)
    }

    /// The file with each strip or tile made by `encode` from its place and size.
    pub(crate) fn of_jpegs(&self, encode: impl Fn((u32, u32), (u32, u32)) -> Vec<u8>) -> Vec<u8> {
        let jpegs = Jpegs::of(&self.pieces(encode));
        let mut kind = self.clone();
        kind.entries.push(Entry::new(347, Value::Undefined(jpegs.tables)));
        kind.entries.push(short(259, 7));
        kind.around(&jpegs.chunks)
    }

    /// What `encode` makes of the place and size of each strip or tile.
    fn pieces(&self, encode: impl Fn((u32, u32), (u32, u32)) -> Vec<u8>) -> Vec<Vec<u8>> {
        let (width, height) = self.size;
        let (across, down) = (self.chunk.0.unwrap_or(width), self.chunk.1);
        let places = (0..height)
            .step_by(down as usize)
            .flat_map(|top| (0..width).step_by(across as usize).map(move |left| (left, top)));
        places
            .map(|(left, top)| {
                let is_tile = self.chunk.0.is_some();
                let rows = if is_tile { down } else { down.min(height - top) };
                encode((left, top), (across, rows))
            })
            .collect()
    }

    /// The file around strips or tiles.
    pub(crate) fn around(&self, chunks: &[Vec<u8>]) -> Vec<u8> {
        let lengths: Vec<u32> = chunks
            .iter()
            .map(|chunk| u32::try_from(chunk.len()).unwrap())
            .collect();
        let directory = |start: u32| {
            let mut place = start;
            let places: Vec<u32> = lengths
                .iter()
                .map(|length| {
                    place += length;
                    place - length
                })
                .collect();
            self.directory(&places, &lengths).bytes()
        };
        let start = u32::try_from(directory(0).len()).unwrap();
        [directory(start), chunks.concat()].concat()
    }

    fn directory(&self, places: &[u32], lengths: &[u32]) -> Tiff {
        let mut entries = vec![
            longs(256, &[self.size.0]),
            longs(257, &[self.size.1]),
            Entry::new(258, Value::Shorts(vec![self.bits; self.samples.into()])),
            short(259, 1),
            short(262, self.photometric),
            short(277, self.samples),
            short(284, if self.apart { 2 } else { 1 }),
        ];
        match self.chunk {
            (None, rows) => {
                entries.extend([longs(273, places), longs(278, &[rows]), longs(279, lengths)]);
            }
            (Some(width), height) => {
                entries.extend([longs(322, &[width]), longs(323, &[height])]);
                entries.extend([longs(324, places), longs(325, lengths)]);
            }
        }
        for entry in &self.entries {
            entries.retain(|other| other.tag != entry.tag);
            entries.push(entry.clone());
        }
        entries.sort_by_key(|entry| entry.tag);
        Tiff {
            big_endian: self.big_endian,
            entries,
        }
    }

    fn packed(&self, samples: &[u16]) -> Vec<u8> {
        match self.bits {
            16 if self.big_endian => samples.iter().flat_map(|sample| sample.to_be_bytes()).collect(),
            16 => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
            8 => samples
                .iter()
                .map(|&sample| u8::try_from(sample).unwrap())
                .collect(),
            bits => samples
                .chunks(usize::from(8 / bits))
                .map(|samples| {
                    (0..8 / bits).fold(0, |byte, at| {
                        let sample = samples.get(usize::from(at)).copied().unwrap_or(0);
                        byte << bits | u8::try_from(sample).unwrap()
                    })
                })
                .collect(),
        }
    }
}
