//! Changes seeds at random, always in the same way for the same number.

/// The longest input.
const MAX: usize = 64 << 10;

/// Bytes that readers treat in their own ways.
const SPECIAL: &[u8] = b"\0\x01\x7f\x80\xff\n\r \"\\/.,:;=@#{}[]<>()-+0189aAeE%*'`$";

/// Texts that readers treat in their own ways.
const WORDS: [&[u8]; 20] = [
    b"18446744073709551615",
    b"18446744073709551616",
    b"9223372036854775807",
    b"-1",
    b"1e308",
    b"77777777777",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\"\"",
    b"../",
    b"sha256:",
    b"sha512:",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"\xf0\x9f\xa6\x80",
    b"\xc5\xbf",
    b"\x1b[2J",
    b"\0\0\0\0\0\0\0\0",
];

/// Gives inputs without end.
pub(crate) struct Mutator<'a> {
    seeds: &'a [Vec<u8>],
    state: u64,
}

impl<'a> Mutator<'a> {
    /// The inputs of `seeds` that belong to the number `start`.
    pub(crate) fn new(seeds: &'a [Vec<u8>], start: u64) -> Self {
        Self { seeds, state: start }
    }

    /// splitmix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random() % bound.max(1) as u64).unwrap()
    }

    /// A number below 2 to this power, more often a small one.
    fn mostly_below(&mut self, power: usize) -> usize {
        let power = self.below(power);
        self.below(1 << power)
    }

    /// The next input: a seed with one change, or with several.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let index = self.below(self.seeds.len());
        let mut input = self.seeds[index].clone();
        let changes = 1 + self.mostly_below(4);
        for _ in 0..changes {
            self.change(&mut input);
        }
        input.truncate(MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = (at + 1 + self.mostly_below(12)).min(input.len());
        match self.below(9) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = u8::try_from(self.below(256)).unwrap(),
            2 if at < input.len() => input[at] = SPECIAL[self.below(SPECIAL.len())],
            3 => input.insert(at, SPECIAL[self.below(SPECIAL.len())]),
            4 if at < end => drop(input.drain(at..end)),
            5 if at < end => {
                let part = input[at..end].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, part);
            }
            6 => {
                let word = WORDS[self.below(WORDS.len())];
                let over = if self.below(2) == 0 { at } else { (at + word.len()).min(input.len()) };
                input.splice(at..over, word.iter().copied());
            }
            7 => {
                // The beginning of this one and the end of another.
                let other = self.below(self.seeds.len());
                let from = self.below(self.seeds[other].len() + 1);
                input.truncate(at);
                input.extend_from_slice(&self.seeds[other][from..]);
            }
            _ => self.change_number(input),
        }
    }

    /// Makes another number of one that is written in digits.
    fn change_number(&mut self, input: &mut Vec<u8>) {
        let starts: Vec<usize> = (0..input.len())
            .filter(|at| input[*at].is_ascii_digit() && (*at == 0 || !input[at - 1].is_ascii_digit()))
            .collect();
        if starts.is_empty() {
            return;
        }
        let start = starts[self.below(starts.len())];
        let end = start + input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = match self.below(4) {
            0 => self.below(10).to_string(),
            1 => self.random().to_string(),
            2 => (1_u64 << self.below(64)).to_string(),
            _ => ((1_u64 << self.below(64)) - 1).to_string(),
        };
        input.splice(start..end, number.into_bytes());
    }
}
