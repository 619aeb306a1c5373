//! A plain writer of PNG files, for kinds and damage that no encoder gives.

/// A chunk with its check sum.
pub(crate) fn chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    chunk.extend(kind);
    chunk.extend(content);
    let sum = checksum(&chunk[4..]);
    chunk.extend(sum.to_be_bytes());
    chunk
}

fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            if sum & 1 == 1 {
                sum >> 1 ^ 0xEDB8_8320
            } else {
                sum >> 1
            }
        })
    })
}

/// Where each pass of an interlaced picture begins, and its steps: across and down each.
pub(crate) const PASSES: [[u32; 4]; 7] = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
];

/// A file of this kind, its pixels as they are stored.
#[derive(Clone)]
pub(crate) struct Png {
    pub(crate) size: (u32, u32),
    pub(crate) depth: u8,
    pub(crate) colour: u8,
    pub(crate) interlaced: bool,
    /// Chunks before the pixels and after them.
    pub(crate) before: Vec<Vec<u8>>,
    pub(crate) after: Vec<Vec<u8>>,
}

impl Png {
    pub(crate) fn new(size: (u32, u32), depth: u8, colour: u8) -> Self {
        Self {
            size,
            depth,
            colour,
            interlaced: false,
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    /// The file; `sample` gives the samples of a pixel, each as large as the depth allows.
    pub(crate) fn file(&self, pixel: impl Fn(u32, u32) -> Vec<u16>) -> Vec<u8> {
        let passes: &[[u32; 4]] = if self.interlaced { &PASSES } else { &[[0, 0, 1, 1]] };
        let (width, height) = self.size;
        let mut rows = Vec::new();
        for &[left, up, across, down] in passes {
            for y in (up..height).step_by(down as usize) {
                let samples: Vec<u16> = (left..width)
                    .step_by(across as usize)
                    .flat_map(|x| pixel(x, y))
                    .collect();
                if !samples.is_empty() {
                    rows.push(0);
                    rows.extend(self.packed(&samples));
                }
            }
        }
        self.around(&fdeflate::compress_to_vec(&rows))
    }

    /// The file around compressed rows.
    pub(crate) fn around(&self, data: &[u8]) -> Vec<u8> {
        let mut header = self.size.0.to_be_bytes().to_vec();
        header.extend(self.size.1.to_be_bytes());
        header.extend([self.depth, self.colour, 0, 0, u8::from(self.interlaced)]);
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        file.extend(chunk(*b"IHDR", &header));
        file.extend(self.before.concat());
        for part in data.chunks(30_000) {
            file.extend(chunk(*b"IDAT", part));
        }
        file.extend(self.after.concat());
        file.extend(chunk(*b"IEND", &[]));
        file
    }

    fn packed(&self, samples: &[u16]) -> Vec<u8> {
        match self.depth {
            16 => samples.iter().flat_map(|sample| sample.to_be_bytes()).collect(),
            8 => samples
                .iter()
                .map(|&sample| u8::try_from(sample).unwrap())
                .collect(),
            depth => samples
                .chunks(usize::from(8 / depth))
                .map(|samples| {
                    (0..8 / depth).fold(0, |byte, at| {
                        let sample = samples.get(usize::from(at)).copied().unwrap_or(0);
                        byte << depth | u8::try_from(sample).unwrap()
                    })
                })
                .collect(),
        }
    }
}
