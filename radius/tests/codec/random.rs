//! Numbers that look random and are the same in every run, so that what failed once fails again.

use std::ops::RangeInclusive;

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(crate) fn octet(&mut self) -> u8 {
        self.number().to_be_bytes()[0]
    }

    pub(crate) fn octets(&mut self, lengths: RangeInclusive<usize>) -> Vec<u8> {
        (0..self.within(lengths)).map(|_| self.octet()).collect()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.octet())
    }

    /// Without NULs, as a password is.
    pub(crate) fn text(&mut self, lengths: RangeInclusive<usize>) -> Vec<u8> {
        (0..self.within(lengths)).map(|_| b'!' + u8::try_from(self.below(90)).unwrap()).collect()
    }

    fn within(&mut self, lengths: RangeInclusive<usize>) -> usize {
        lengths.start() + self.below(lengths.end() - lengths.start() + 1)
    }
}
