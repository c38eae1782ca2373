//! Follows HTTP/2 header blocks (RFC 7541), to see what the engine does not show.
//!
//! The engine cuts a `:path` at its first `#`, and what stands behind is never seen again: the
//! client asked for one thing, and another is decided on. A fragment has no place in a `:path`
//! (RFC 9113 §8.3.1), so here it is refused, as it is in HTTP/1.1.
//!
//! Nothing is decoded for that, and nothing kept but one bit for each field in the engine's table:
//! whether its name is `:path`. An index counts from the newest entry, so whatever has left the
//! table, an index that still leads somewhere leads to the bit of its entry.

use super::refusal::Refusal;

/// `:path` in Huffman code; of the last byte only the upper five bits belong to it.
const CODED_PATH: [u8; 4] = [0xb9, 0x58, 0xd3, 0x38];
const CODED_PATH_END: u8 = 0xf8;

/// The static table's entries with this name (RFC 7541 appendix A), and its length.
const STATIC_PATHS: std::ops::RangeInclusive<u32> = 4..=5;
const STATIC_LENGTH: u32 = 61;

/// `#` in Huffman code: twelve bits.
const CODED_FRAGMENT: (u64, u32) = (0xffa, 12);

/// Where the codes of each length end (RFC 7541 appendix B), as 32 bits from the left: the code is
/// canonical, so a shorter one is always less than a longer one.
const CODE_ENDS: [(u64, u32); 21] = [
    (0x5000_0000, 5),
    (0xb800_0000, 6),
    (0xf800_0000, 7),
    (0xfe00_0000, 8),
    (0xff40_0000, 10),
    (0xffa0_0000, 11),
    (0xffc0_0000, 12),
    (0xfff0_0000, 13),
    (0xfff8_0000, 14),
    (0xfffe_0000, 15),
    (0xfffe_6000, 19),
    (0xfffe_e000, 20),
    (0xffff_4800, 21),
    (0xffff_b000, 22),
    (0xffff_ea00, 23),
    (0xffff_f600, 24),
    (0xffff_f800, 25),
    (0xffff_fbc0, 26),
    (0xffff_fe20, 27),
    (0xffff_fff0, 28),
    (0x1_0000_0000, 30),
];

/// Where the reading of a connection's header blocks stands.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Of each entry of the dynamic table whether it is named `:path`, the newest in the lowest bit.
    /// The table holds 4,096 bytes, an entry at least 32 of them.
    paths: u128,
    step: Step,
    field: Field,
    text: Text,
}

#[derive(Clone, Copy, Debug, Default)]
enum Step {
    #[default]
    Field,
    /// Inside an integer of several bytes.
    Integer { meaning: Meaning, value: u32, shift: u32 },
    /// Before a string.
    Length,
    /// Inside a string, before so many bytes.
    Text { left: u32 },
}

#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// The whole of an indexed field, or another size of the table.
    Nothing,
    /// The index of a name.
    Name,
    /// The length of a string.
    Length,
}

/// The field at hand.
#[derive(Clone, Copy, Debug, Default)]
struct Field {
    is_inserted: bool,
    is_path: bool,
}

/// The string at hand.
#[derive(Clone, Copy, Debug, Default)]
struct Text {
    is_name: bool,
    is_coded: bool,
    length: u32,
    /// The first bytes of a name, and how many there are.
    begin: [u8; 5],
    filled: usize,
    /// Bits of a value that are not yet a whole code, the next one highest.
    bits: u64,
    count: u32,
}

impl Block {
    /// Another block begins.
    pub(super) fn begin(&mut self) {
        self.step = Step::Field;
    }

    /// Reads on in a block.
    ///
    /// # Errors
    ///
    /// [`Refusal::Fragment`]; [`Refusal::HeadMalformed`] for an integer that the engine does not
    /// read either. The connection must be closed, since the table is not kept any more.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Refusal> {
        while let [first, rest @ ..] = bytes {
            match self.step {
                Step::Field => {
                    self.field(*first);
                    bytes = rest;
                }
                Step::Integer { meaning, value, shift } => {
                    let value = value + (u32::from(*first & 0x7f) << shift);
                    let shift = shift + 7;
                    if *first & 0x80 == 0 {
                        self.end_integer(meaning, value);
                    } else if shift == 28 {
                        return Err(Refusal::HeadMalformed);
                    } else {
                        self.step = Step::Integer { meaning, value, shift };
                    }
                    bytes = rest;
                }
                Step::Length => {
                    self.text.is_coded = *first & 0x80 != 0;
                    self.integer(Meaning::Length, *first, 0x7f);
                    bytes = rest;
                }
                Step::Text { left } => {
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let (piece, rest) = bytes.split_at(length);
                    self.read_text(piece)?;
                    let left = left - u32::try_from(length).unwrap_or(left);
                    self.step = Step::Text { left };
                    if left == 0 {
                        self.end_text();
                    }
                    bytes = rest;
                }
            }
        }
        Ok(())
    }

    /// The first byte of a field says how it is written (RFC 7541 §6).
    fn field(&mut self, first: u8) {
        self.field = Field { is_inserted: first & 0xc0 == 0x40, is_path: false };
        match first {
            0x80.. => self.integer(Meaning::Nothing, first, 0x7f),
            0x40..0x80 => self.integer(Meaning::Name, first, 0x3f),
            0x20..0x40 => self.integer(Meaning::Nothing, first, 0x1f),
            0x00..0x20 => self.integer(Meaning::Name, first, 0x0f),
        }
    }

    fn integer(&mut self, meaning: Meaning, first: u8, mask: u8) {
        let value = u32::from(first & mask);
        if first & mask == mask {
            self.step = Step::Integer { meaning, value, shift: 0 };
        } else {
            self.end_integer(meaning, value);
        }
    }

    fn end_integer(&mut self, meaning: Meaning, value: u32) {
        self.step = match meaning {
            Meaning::Nothing => Step::Field,
            Meaning::Name => {
                self.text.is_name = value == 0;
                self.field.is_path = self.is_path(value);
                Step::Length
            }
            Meaning::Length => {
                let Text { is_name, is_coded, .. } = self.text;
                self.text = Text { is_name, is_coded, length: value, ..Text::default() };
                Step::Text { left: value }
            }
        };
        if let Step::Text { left: 0 } = self.step {
            self.end_text();
        }
    }

    /// Whether an index leads to the name `:path`.
    fn is_path(&self, index: u32) -> bool {
        let place = index.checked_sub(STATIC_LENGTH + 1);
        let bit = place.and_then(|place| self.paths.checked_shr(place));
        STATIC_PATHS.contains(&index) || bit.is_some_and(|bit| bit & 1 == 1)
    }

    fn read_text(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        let text = &mut self.text;
        let has_fragment = if text.is_name {
            for (place, byte) in text.begin.iter_mut().skip(text.filled).zip(piece) {
                *place = *byte;
                text.filled += 1;
            }
            false
        } else if !self.field.is_path {
            false
        } else if text.is_coded {
            text.find_coded_fragment(piece)
        } else {
            piece.contains(&b'#')
        };
        if has_fragment { Err(Refusal::Fragment) } else { Ok(()) }
    }

    fn end_text(&mut self) {
        if self.text.is_name {
            self.text.is_name = false;
            self.field.is_path = self.text.names_path();
            self.step = Step::Length;
            return;
        }
        if self.field.is_inserted {
            self.paths = self.paths << 1 | u128::from(self.field.is_path);
        }
        self.step = Step::Field;
    }
}

impl Text {
    /// Whether it is `:path`. What begins so in Huffman code is taken for it: it is that, or no
    /// pseudo-header at all, which the engine refuses.
    fn names_path(&self) -> bool {
        let [one, two, three, four, _] = self.begin;
        if self.is_coded {
            self.length >= 4 && [one, two, three, four & CODED_PATH_END] == CODED_PATH
        } else {
            self.length == 5 && self.begin == *b":path"
        }
    }

    /// Goes from code to code without looking up what they stand for.
    fn find_coded_fragment(&mut self, piece: &[u8]) -> bool {
        for byte in piece {
            self.bits |= u64::from(*byte) << (56 - self.count);
            self.count += 8;
            while let Some(length) = code_length(self.bits).filter(|it| *it <= self.count) {
                let (code, coded) = CODED_FRAGMENT;
                if length == coded && self.bits >> (64 - coded) == code {
                    return true;
                }
                self.bits <<= length;
                self.count -= length;
            }
        }
        false
    }
}

/// How long the code is that stands first in `bits`. Where not all of it has come, what is missing
/// counts as zeros: then the length is more than there is, or right.
fn code_length(bits: u64) -> Option<u32> {
    let begin = bits >> 32;
    CODE_ENDS.iter().find(|(end, _)| begin < *end).map(|(_, length)| *length)
}

#[cfg(test)]
mod tests;
