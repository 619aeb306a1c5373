use std::sync::{Arc, Mutex};

use rapidphoto_application::ports::{Clock, Ids};

use crate::lock::lock;

/// Deterministic ids: the same sequence for the same seed and clock.
pub struct SeededIds {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    numbers: SplitMix64,
    last: u128,
}

impl SeededIds {
    /// Ids of this seed.
    pub fn new(seed: u64, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::new(State {
                numbers: SplitMix64(seed),
                last: 0,
            }),
        }
    }
}

impl Ids for SeededIds {
    fn ulid(&self) -> u128 {
        let millis = u128::try_from(self.clock.now().timestamp_millis()).unwrap_or_default();
        let mut state = lock(&self.state);
        let randomness = u128::from(state.numbers.next()) << 16 | u128::from(state.numbers.next() >> 48);
        let fresh = millis << 80 | randomness;
        // Within one millisecond, and if the clock is set back, ids increase from the last one.
        state.last = if fresh > state.last { fresh } else { state.last + 1 };
        state.last
    }

    fn secret(&self) -> [u8; 32] {
        let mut state = lock(&self.state);
        let mut secret = [0; 32];
        for chunk in secret.chunks_exact_mut(8) {
            chunk.copy_from_slice(&state.numbers.next().to_be_bytes());
        }
        secret
    }
}

/// `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): repeatable, not
/// secure.
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::FakeClock;

    #[test]
    fn ids_increase_whatever_the_clock_does() {
        let clock = Arc::new(FakeClock::default());
        let ids = SeededIds::new(7, clock.clone());
        let mut last = 0;
        for step in 0..1000 {
            let id = ids.ulid();
            assert!(id > last);
            last = id;
            match step % 100 {
                50 => clock.advance(Duration::from_millis(1)),
                99 => clock.set(clock.now() - Duration::from_millis(5)),
                _ => {}
            }
        }
    }

    #[test]
    fn a_seed_gives_the_same_ids_again_and_another_seed_others() {
        let take = |seed| {
            let ids = SeededIds::new(seed, Arc::new(FakeClock::default()));
            (ids.ulid(), ids.secret(), ids.ulid(), ids.secret())
        };
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
    }
}
