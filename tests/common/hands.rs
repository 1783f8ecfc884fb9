//! Hands that type, click and paste at random.

/// A sequence of numbers that is the same in every run (xorshift).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).expect("small")).expect("small")
    }

    fn one_of<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.roll(of.len())]
    }
}

/// Keys that open, choose and confirm; more of them than of others, or few random streams would write.
const TOKENS: &[&str] = &[
    "a",
    "k",
    "c",
    "i",
    "i",
    "f",
    "r",
    "u",
    "[",
    "]",
    "\r",
    "\r",
    "\r",
    "\r",
    "\x1b",
    "\x1b",
    "\x1b[A",
    "\x1b[B",
    "\x1b[B",
    "\x1b[C",
    "\x1b[D",
    "\t",
    "\t",
    "d",
    "d",
    "e",
    "e",
    "z",
    "t",
    "S",
    "F",
    " ",
    "U",
    "/",
    "x",
    "o",
    "n",
    "g",
    "G",
    "?",
    "s",
    "h",
    "1",
    "9",
    "2",
    "0",
    "5",
    "-",
    "\x1bOP",
    "\x1b[17~",
    "\x1b[18~",
    "\x1b[19~",
    "\x1b[20~",
    "\x1b[5~",
    "\x1b[6~",
    "\x1b[200~k\r\x1b[201~",
    "\x1b[200~200\r\r\x1b[201~",
    "\x1b[200~[a\r\ru\r\x1b[201~",
    "\x1b[1;5C",
    "I",
    ">",
    "\x7f",
    "\x15",
    "\x1b[<64;9;14M",
    "\x1b[<65;9;14M",
    "K",
    "p",
    "M",
];

/// One key, paste or turn of the wheel.
pub(crate) fn token(dice: &mut Dice) -> &'static str {
    dice.one_of(TOKENS)
}

/// Bytes of a few tokens.
pub(crate) fn stream(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=dice.roll(3) {
        if dice.roll(12) == 0 {
            let (x, y) = (1 + dice.roll(100), 1 + dice.roll(36));
            bytes.extend(format!("\x1b[<0;{x};{y}M").bytes());
        } else {
            bytes.extend(dice.one_of(TOKENS).bytes());
        }
    }
    bytes
}
