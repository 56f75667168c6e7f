//! Reads parameter sets and sound configurations bit by bit. Every read is checked: past the end, or
//! at a number that does not fit, it gives `None` and nothing panics.

/// A position in a byte string, most significant bit first.
#[derive(Clone, Debug)]
pub struct Bits<'a> {
    data: &'a [u8],
    /// In bits; never beyond the end of `data`.
    position: usize,
}

impl<'a> Bits<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    /// `u(1)` as a flag.
    pub fn flag(&mut self) -> Option<bool> {
        let byte = self.data.get(self.position / 8)?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Some(bit == 1)
    }

    /// `u(count)`, at most 32 bits.
    pub fn bits(&mut self, count: u32) -> Option<u32> {
        debug_assert!(count <= 32);
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Some(value)
    }

    pub fn skip(&mut self, count: usize) -> Option<()> {
        let position = self.position.checked_add(count)?;
        (position <= self.data.len() * 8).then(|| self.position = position)
    }

    /// `ue(v)`, ITU-T H.264 9.1; `None` for more than 31 leading zeros.
    pub fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        if zeros > 31 {
            return None;
        }
        Some(((1_u64 << zeros) - 1 + u64::from(self.bits(zeros)?)) as u32)
    }

    /// `se(v)`, ITU-T H.264 9.1.1.
    pub fn se(&mut self) -> Option<i32> {
        let code = i64::from(self.ue()?);
        let magnitude = (code + 1) / 2;
        i32::try_from(if code % 2 == 1 { magnitude } else { -magnitude }).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn golomb_codes_are_those_of_table_9_2() {
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<_> = (0..5).map(|_| bits.ue()).collect();
        assert_eq!(codes, [Some(0), Some(1), Some(2), Some(3), Some(4)]);
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<_> = (0..5).map(|_| bits.se()).collect();
        assert_eq!(codes, [Some(0), Some(1), Some(-1), Some(2), Some(-2)]);
    }

    #[test]
    fn the_end_gives_none() {
        let mut bits = Bits::new(&[0xff]);
        assert_eq!(bits.bits(9), None);
        assert_eq!(Bits::new(&[0; 9]).ue(), None);
        assert_eq!(Bits::new(&[1]).skip(9), None);
        assert_eq!(Bits::new(&[]).flag(), None);
    }

    proptest! {
        #[test]
        fn numbers_read_back(numbers in prop::collection::vec(0..u32::MAX - 1, 1..20)) {
            let text: String = numbers.iter().map(|n| {
                let code = format!("{:b}", u64::from(*n) + 1);
                "0".repeat(code.len() - 1) + &code
            }).collect();
            let bytes: Vec<u8> = text.as_bytes().chunks(8).map(|bits| {
                bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | (bit - b'0') << (7 - i))
            }).collect();
            let mut bits = Bits::new(&bytes);
            for n in numbers {
                prop_assert_eq!(bits.ue(), Some(n));
            }
        }
    }
}
