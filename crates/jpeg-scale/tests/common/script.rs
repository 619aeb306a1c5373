//! An encoder of coefficients in any scan script, progressive or sequential.

use super::Random;
use super::huffman::{Bits, Table};

/// Coefficients in zig-zag order.
pub type Block = [i16; 64];

/// Sampling factors, quantization steps, and blocks in full MCUs.
pub type Component = ((usize, usize), [u8; 64], Vec<Block>);

/// An image as quantized coefficients.
#[derive(Clone)]
pub struct CoefficientImage {
    pub width: u16,
    pub height: u16,
    pub components: Vec<Component>,
}

/// A scan: component indices, spectral selection, Ah and Al, and restart interval.
#[derive(Clone, Debug)]
pub struct Scan {
    pub components: Vec<usize>,
    pub band: (usize, usize),
    pub ah: u32,
    pub al: u32,
    pub restart: u16,
}

pub fn scan(components: &[usize], band: (usize, usize), ah: u32, al: u32) -> Scan {
    Scan {
        components: components.to_vec(),
        band,
        ah,
        al,
        restart: 0,
    }
}

impl CoefficientImage {
    /// Random blocks, each with at most `max_nonzero` non-zero AC coefficients.
    pub fn random(
        seed: u64,
        size: (u16, u16),
        factors: &[(usize, usize)],
        max_nonzero: usize,
        max_magnitude: i16,
    ) -> Self {
        let mut random = Random(seed | 1);
        let mut image = Self {
            width: size.0,
            height: size.1,
            components: Vec::new(),
        };
        let max_factor = |side: fn(&(usize, usize)) -> usize| factors.iter().map(side).max().unwrap();
        let columns = usize::from(size.0).div_ceil(8 * max_factor(|each| each.0));
        let rows = usize::from(size.1).div_ceil(8 * max_factor(|each| each.1));
        for &(h, v) in factors {
            let mut blocks = vec![[0; 64]; columns * h * rows * v];
            let mut dc = 0i16;
            for block in &mut blocks {
                dc = (dc + random.below(41) as i16 - 20).clamp(-150, 150);
                block[0] = dc;
                // Two thirds of the blocks are empty, so that there are end-of-band runs.
                let count = if random.below(3) == 0 {
                    random.below(max_nonzero + 1)
                } else {
                    0
                };
                for _ in 0..count {
                    let k = 1 + random.below(63).min(random.below(63));
                    let size = (max_magnitude >> random.below(8)).max(1);
                    block[k] = random.below(2 * size as usize + 1) as i16 - size;
                }
            }
            let steps = std::array::from_fn(|k| 3 + (k / 8) as u8);
            image.components.push(((h, v), steps, blocks));
        }
        image
    }

    fn columns(&self) -> usize {
        let max_factor = self.components.iter().map(|each| each.0.0).max().unwrap();
        usize::from(self.width).div_ceil(8 * max_factor)
    }

    fn rows(&self) -> usize {
        let max_factor = self.components.iter().map(|each| each.0.1).max().unwrap();
        usize::from(self.height).div_ceil(8 * max_factor)
    }

    /// Blocks of each MCU of a scan, as component and block indices.
    fn mcus(&self, components: &[usize]) -> Vec<Vec<(usize, usize)>> {
        let (columns, rows) = (self.columns(), self.rows());
        let mut mcus = Vec::new();
        if let [single] = components {
            let (h, v) = self.components[*single].0;
            let max_h = self.components.iter().map(|each| each.0.0).max().unwrap();
            let max_v = self.components.iter().map(|each| each.0.1).max().unwrap();
            let across = (usize::from(self.width) * h).div_ceil(8 * max_h);
            let down = (usize::from(self.height) * v).div_ceil(8 * max_v);
            for y in 0..down {
                mcus.extend((0..across).map(|x| vec![(*single, y * columns * h + x)]));
            }
            return mcus;
        }
        for row in 0..rows {
            for column in 0..columns {
                let mut mcu = Vec::new();
                for &component in components {
                    let (h, v) = self.components[component].0;
                    for y in 0..v {
                        for x in 0..h {
                            mcu.push((component, (row * v + y) * columns * h + column * h + x));
                        }
                    }
                }
                mcus.push(mcu);
            }
        }
        mcus
    }

    /// A file with this SOF marker; the tables of each scan precede its header.
    pub fn encode(&self, frame: u8, script: &[Scan]) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8];
        for (slot, (_, steps, _)) in self.components.iter().enumerate() {
            let mut content = vec![slot as u8];
            content.extend(steps);
            file.extend(segment_of(0xdb, &content));
        }
        let mut content = vec![8];
        content.extend(self.height.to_be_bytes());
        content.extend(self.width.to_be_bytes());
        content.push(self.components.len() as u8);
        for (slot, &((h, v), _, _)) in self.components.iter().enumerate() {
            content.extend([slot as u8 + 1, (h << 4 | v) as u8, slot as u8]);
        }
        file.extend(segment_of(frame, &content));
        let mut restart = 0;
        for scan in script {
            if scan.restart != restart {
                restart = scan.restart;
                file.extend(segment_of(0xdd, &restart.to_be_bytes()));
            }
            file.extend(self.scan(frame == 0xc2, scan));
        }
        file.extend([0xff, 0xd9]);
        file
    }

    fn scan(&self, progressive: bool, scan: &Scan) -> Vec<u8> {
        let mut out = Output::default();
        let mut predictions = [0; 4];
        for (index, mcu) in self.mcus(&scan.components).into_iter().enumerate() {
            if scan.restart > 0 && index > 0 && index % usize::from(scan.restart) == 0 {
                out.end_run();
                out.items.push(Item::Restart);
                predictions = [0; 4];
            }
            for (component, at) in mcu {
                let block = &self.components[component].2[at];
                match (scan.band.0, scan.ah) {
                    (0, 0) => {
                        let dc = i32::from(block[0] >> scan.al);
                        out.value(0, 0, dc - predictions[component]);
                        predictions[component] = dc;
                        if !progressive {
                            out.first(block, (1, 63), 0);
                            // Sequential scans have no end-of-band runs.
                            out.end_run();
                        }
                    }
                    (0, _) => out.items.push(Item::Bits((block[0] >> scan.al) as u32 & 1, 1)),
                    (_, 0) => out.first(block, scan.band, scan.al),
                    _ => out.refine(block, scan.band, scan.al),
                }
            }
        }
        out.end_run();
        let mut content = vec![scan.components.len() as u8];
        content.extend(scan.components.iter().flat_map(|&each| [each as u8 + 1, 0]));
        content.extend([
            scan.band.0 as u8,
            scan.band.1 as u8,
            (scan.ah << 4 | scan.al) as u8,
        ]);
        out.into_scan(&segment_of(0xda, &content))
    }
}

pub fn segment_of(marker: u8, content: &[u8]) -> Vec<u8> {
    let mut segment = vec![0xff, marker];
    segment.extend((content.len() as u16 + 2).to_be_bytes());
    segment.extend(content);
    segment
}

enum Item {
    /// Table class, symbol, the bits after it and their number.
    Symbol(usize, u8, u32, u32),
    Bits(u32, u32),
    Restart,
}

#[derive(Default)]
struct Output {
    items: Vec<Item>,
    run: u32,
    /// Correction bits of the blocks of the end-of-band run.
    run_bits: Vec<u32>,
}

impl Output {
    fn value(&mut self, class: usize, zeros: usize, value: i32) {
        let size = 32 - value.unsigned_abs().leading_zeros();
        let bits = if value < 0 { value - 1 } else { value } as u32;
        self.items
            .push(Item::Symbol(class, (zeros << 4) as u8 | size as u8, bits, size));
    }

    fn bits(&mut self, bits: &mut Vec<u32>) {
        self.items.extend(bits.drain(..).map(|bit| Item::Bits(bit, 1)));
    }

    fn end_run(&mut self) {
        if self.run > 0 {
            let size = self.run.ilog2();
            self.items
                .push(Item::Symbol(1, (size << 4) as u8, self.run, size));
            let mut bits = std::mem::take(&mut self.run_bits);
            self.bits(&mut bits);
            self.run = 0;
        }
    }

    fn add_to_run(&mut self) {
        self.run += 1;
        if self.run == 0x7fff {
            self.end_run();
        }
    }

    fn first(&mut self, block: &Block, (first, last): (usize, usize), al: u32) {
        let mut zeros = 0;
        for &value in &block[first..=last] {
            let value = i32::from(value) / (1 << al);
            if value == 0 {
                zeros += 1;
                continue;
            }
            self.end_run();
            while zeros > 15 {
                self.items.push(Item::Symbol(1, 0xf0, 0, 0));
                zeros -= 16;
            }
            self.value(1, zeros, value);
            zeros = 0;
        }
        if zeros > 0 {
            self.add_to_run();
        }
    }

    fn refine(&mut self, block: &Block, (first, last): (usize, usize), al: u32) {
        let sizes: Vec<u32> = block
            .iter()
            .map(|each| u32::from(each.unsigned_abs()) >> al)
            .collect();
        let end = (first..=last).rev().find(|&k| sizes[k] == 1).unwrap_or(0);
        let (mut zeros, mut bits) = (0, Vec::new());
        for k in first..=last {
            if sizes[k] == 0 {
                zeros += 1;
                continue;
            }
            while zeros > 15 && k <= end {
                self.end_run();
                self.items.push(Item::Symbol(1, 0xf0, 0, 0));
                self.bits(&mut bits);
                zeros -= 16;
            }
            if sizes[k] > 1 {
                bits.push(sizes[k] & 1);
                continue;
            }
            self.end_run();
            self.items
                .push(Item::Symbol(1, zeros << 4 | 1, u32::from(block[k] > 0), 1));
            self.bits(&mut bits);
            zeros = 0;
        }
        if zeros > 0 || !bits.is_empty() {
            self.run_bits.extend(bits);
            self.add_to_run();
        }
    }

    /// The scan: tables for its symbols, header and data.
    fn into_scan(self, header: &[u8]) -> Vec<u8> {
        let mut frequencies = [[0; 256]; 2];
        for item in &self.items {
            if let Item::Symbol(class, symbol, ..) = *item {
                frequencies[class][usize::from(symbol)] += 1;
            }
        }
        let tables = frequencies.map(|each| Table::new(&each));
        let mut file = Vec::new();
        for (class, table) in tables.iter().enumerate() {
            file.extend(table.segment((class << 4) as u8));
        }
        file.extend(header);
        let mut bits = Bits::default();
        let mut restarts = 0;
        for item in self.items {
            match item {
                Item::Symbol(class, symbol, value, count) => {
                    let (code, length) = tables[class].codes[usize::from(symbol)];
                    bits.put(code, length);
                    bits.put(value, count);
                }
                Item::Bits(value, count) => bits.put(value, count),
                Item::Restart => {
                    bits.marker(0xd0 | restarts);
                    restarts = (restarts + 1) & 7;
                }
            }
        }
        file.extend(bits.into_bytes());
        file
    }
}

/// libjpeg's default script for three components.
pub fn libjpeg_script() -> Vec<Scan> {
    vec![
        scan(&[0, 1, 2], (0, 0), 0, 1),
        scan(&[0], (1, 5), 0, 2),
        scan(&[2], (1, 63), 0, 1),
        scan(&[1], (1, 63), 0, 1),
        scan(&[0], (6, 63), 0, 2),
        scan(&[0], (1, 63), 2, 1),
        scan(&[0, 1, 2], (0, 0), 1, 0),
        scan(&[2], (1, 63), 1, 0),
        scan(&[1], (1, 63), 1, 0),
        scan(&[0], (1, 63), 1, 0),
    ]
}

/// A random valid script: bands are split or refined, with components in any order and restart intervals.
pub fn random_script(random: &mut Random, components: usize) -> Vec<Scan> {
    let mut script = Vec::new();
    let order: Vec<usize> = (0..components).collect();
    let dc = random.below(4) as u32;
    let mut open: Vec<(usize, (usize, usize), u32)> = Vec::new();
    if random.below(2) == 0 {
        script.push(scan(&order, (0, 0), 0, dc));
    } else {
        script.extend(
            order
                .iter()
                .rev()
                .map(|&component| scan(&[component], (0, 0), 0, dc)),
        );
    }
    for component in 0..components {
        open.push((component, (0, 0), dc));
        let mut from = 1;
        while from < 64 {
            let to = (from + random.below(64 - from).max(random.below(20))).min(63);
            let al = random.below(5) as u32;
            script.push(scan(&[component], (from, to), 0, al));
            open.push((component, (from, to), al));
            from = to + 1;
        }
    }
    while script.len() < 95 && open.iter().any(|each| each.2 > 0) {
        let at = random.below(open.len());
        let (component, band, al) = open[at];
        if al > 0 {
            script.push(scan(&[component], band, al, al - 1));
            open[at].2 -= 1;
        }
    }
    for scan in &mut script {
        scan.restart = [0, 0, 1, 2, 7, 40][random.below(6)];
    }
    // No coefficient bit is missing from the script.
    assert!(open.iter().all(|each| each.2 == 0));
    script
}
