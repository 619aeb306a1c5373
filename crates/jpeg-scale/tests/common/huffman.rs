//! Huffman tables optimised for the symbols of one scan.

/// Writer of entropy-coded bits.
#[derive(Default)]
pub struct Bits {
    bytes: Vec<u8>,
    register: u64,
    count: u32,
}

impl Bits {
    pub fn put(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            self.register = self.register << 1 | u64::from(value >> bit & 1);
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.register as u8);
                if self.register as u8 == 0xff {
                    self.bytes.push(0);
                }
                (self.register, self.count) = (0, 0);
            }
        }
    }

    /// Pads the last byte with ones.
    pub fn align(&mut self) {
        while self.count > 0 {
            self.put(1, 1);
        }
    }

    pub fn marker(&mut self, marker: u8) {
        self.align();
        self.bytes.extend([0xff, marker]);
    }

    pub fn into_bytes(mut self) -> Vec<u8> {
        self.align();
        self.bytes
    }
}

/// Huffman codes of symbols, and the content of their DHT segment.
pub struct Table {
    pub codes: [(u32, u32); 256],
    pub counts: [u8; 16],
    pub symbols: Vec<u8>,
}

impl Table {
    /// A table for symbols with these frequencies (ITU-T T.81, annex K.2). No symbol has the code of all
    /// ones.
    pub fn new(frequencies: &[u32; 256]) -> Self {
        let mut used: Vec<usize> = (0..256).filter(|&symbol| frequencies[symbol] > 0).collect();
        if used.is_empty() {
            used.push(0);
        }
        // Trees are joined until one is left; each node knows its parent. Symbol 256 is the rarest, so that
        // it is at the greatest depth and gets the code of all ones.
        let mut nodes: Vec<(u64, usize)> = used
            .iter()
            .map(|&each| (u64::from(frequencies[each]) * 2 + 2, 0))
            .collect();
        nodes.push((1, 0));
        let mut roots: Vec<usize> = (0..nodes.len()).rev().collect();
        while roots.len() > 1 {
            roots.sort_by_key(|&root| std::cmp::Reverse(nodes[root].0));
            let (a, b) = (roots.pop().unwrap(), roots.pop().unwrap());
            roots.push(nodes.len());
            (nodes[a].1, nodes[b].1) = (nodes.len(), nodes.len());
            nodes.push((nodes[a].0 + nodes[b].0, 0));
        }
        let mut depths = vec![0; nodes.len()];
        for node in (0..nodes.len() - 1).rev() {
            depths[node] = depths[nodes[node].1] + 1;
        }
        let mut lengths = [0usize; 257];
        for (&symbol, &depth) in used.iter().chain(&[256]).zip(&depths) {
            lengths[symbol] = depth;
        }
        let mut counts = [0u32; 300];
        for &length in &lengths {
            counts[length] += 1;
        }
        counts[0] = 0;
        for length in (17..300).rev() {
            while counts[length] > 0 {
                let shorter = (1..length - 1)
                    .rev()
                    .find(|&shorter| counts[shorter] > 0)
                    .unwrap();
                counts[length] -= 2;
                counts[length - 1] += 1;
                counts[shorter + 1] += 2;
                counts[shorter] -= 1;
            }
        }
        let longest = (1..=16).rev().find(|&length| counts[length] > 0).unwrap();
        counts[longest] -= 1;
        used.sort_by_key(|&symbol| (lengths[symbol], std::cmp::Reverse(frequencies[symbol]), symbol));
        let mut codes = [(0, 0); 256];
        let (mut code, mut at) = (0, 0);
        for (length, &count) in (1..).zip(&counts[1..=16]) {
            for _ in 0..count {
                codes[used[at]] = (code, length);
                code += 1;
                at += 1;
            }
            code <<= 1;
        }
        assert_eq!(at, used.len());
        Self {
            codes,
            counts: std::array::from_fn(|index| counts[index + 1] as u8),
            symbols: used.iter().map(|&symbol| symbol as u8).collect(),
        }
    }

    pub fn segment(&self, head: u8) -> Vec<u8> {
        let mut content = vec![head];
        content.extend(self.counts);
        content.extend(&self.symbols);
        super::script::segment_of(0xc4, &content)
    }
}
