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
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Some characters, and their codes of many lengths (RFC 7541 appendix B).
    const CODES: [(u8, u32, u32); 21] = [
        (b'a', 0x3, 5),
        (b't', 0x9, 5),
        (b'/', 0x18, 6),
        (b'h', 0x27, 6),
        (b'p', 0x2b, 6),
        (b':', 0x5c, 7),
        (b'x', 0x79, 7),
        (b'Z', 0xfd, 8),
        (b'?', 0x3fc, 10),
        (b'|', 0x7fc, 11),
        (b'#', 0xffa, 12),
        (b'>', 0xffb, 12),
        (b'$', 0x1ff9, 13),
        (b'^', 0x3ffc, 14),
        (b'<', 0x7ffc, 15),
        (b'\\', 0x7_fff0, 19),
        (0x80, 0xf_ffe6, 20),
        (0x99, 0x1f_ffdc, 21),
        (0x01, 0x7f_ffd8, 23),
        (0x09, 0xff_ffea, 24),
        (b'\n', 0x3fff_fffc, 30),
    ];

    fn coded(text: &[u8]) -> Vec<u8> {
        let mut bits = String::new();
        for byte in text {
            let (_, code, length) = CODES.into_iter().find(|(it, ..)| it == byte).unwrap();
            bits.push_str(&format!("{code:032b}")[32 - usize::try_from(length).unwrap()..]);
        }
        while !bits.len().is_multiple_of(8) {
            bits.push('1');
        }
        let bytes = bits.as_bytes().chunks(8);
        bytes.map(|b| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 2).unwrap()).collect()
    }

    fn string(text: &[u8], is_coded: bool) -> Vec<u8> {
        let text = if is_coded { coded(text) } else { text.to_vec() };
        let flag = if is_coded { 0x80 } else { 0 };
        let mut bytes = integer(flag, 0x7f, text.len());
        bytes.extend(text);
        bytes
    }

    fn integer(flag: u8, mask: u8, value: usize) -> Vec<u8> {
        if value < usize::from(mask) {
            return vec![flag | u8::try_from(value).unwrap()];
        }
        let mut rest = value - usize::from(mask);
        let mut bytes = vec![flag | mask];
        while rest >= 0x80 {
            bytes.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        bytes.push(u8::try_from(rest).unwrap());
        bytes
    }

    /// A literal: how it is written, its name by index or as text, its value.
    fn literal(kind: u8, index: usize, name: &[u8], value: &[u8], is_coded: bool) -> Vec<u8> {
        let mask = if kind == 0x40 { 0x3f } else { 0x0f };
        let mut bytes = integer(kind, mask, index);
        if index == 0 {
            bytes.extend(string(name, is_coded));
        }
        bytes.extend(string(value, is_coded));
        bytes
    }

    fn verdict(blocks: &[Vec<u8>]) -> Result<(), Refusal> {
        let mut block = Block::default();
        blocks.iter().try_for_each(|bytes| {
            block.begin();
            block.feed(bytes)
        })
    }

    const KINDS: [u8; 3] = [0x00, 0x10, 0x40];

    #[test]
    fn a_fragment_in_a_path_is_found_however_it_is_written() {
        for kind in KINDS {
            for is_coded in [false, true] {
                for index in [0, 4, 5] {
                    for value in [&b"/x#a"[..], b"#", b"/#", b"/xx?#", b"/x#>"] {
                        let bytes = literal(kind, index, b":path", value, is_coded);
                        assert_eq!(verdict(&[bytes]), Err(Refusal::Fragment), "{kind} {value:?}");
                    }
                    let good = literal(kind, index, b":path", b"/xaZ?>|$", is_coded);
                    assert_eq!(verdict(&[good]), Ok(()));
                }
            }
        }
    }

    #[test]
    fn a_fragment_elsewhere_is_nobodys_business() {
        for index in [0, 1, 6, 20, 61, 62, 70, 1000] {
            for name in [&b"x"[..], b":a", b"", b":pathx", b"path"] {
                let bytes = literal(0x40, index, name, b"/x#", false);
                assert_eq!(verdict(&[bytes]), Ok(()), "{index}");
            }
        }
    }

    #[test]
    fn a_name_in_the_dynamic_table_is_followed_to_its_entry() {
        let path = || literal(0x40, 4, b"", b"/x", true);
        let other = |count: usize| literal(0x40, 0, b"x", b"a", false).repeat(count);
        let named = |index: usize| literal(0x00, index, b"", b"/#", false);

        assert_eq!(verdict(&[path(), named(62)]), Err(Refusal::Fragment));
        assert_eq!(verdict(&[path(), other(3), named(65)]), Err(Refusal::Fragment));
        assert_eq!(verdict(&[path(), other(3), named(64)]), Ok(()));
        assert_eq!(verdict(&[path(), other(3), named(66)]), Ok(()));
        assert_eq!(verdict(&[path(), other(123), named(185)]), Err(Refusal::Fragment));
        // The name of an entry may come from another.
        let again = literal(0x40, 63, b"", b"/x", false);
        assert_eq!(verdict(&[path(), other(1), again, named(62)]), Err(Refusal::Fragment));
        // Indexed fields and sizes of the table leave the entries where they are.
        let between = [vec![0x82, 0xbe, 0x3f, 0xe1, 0x1f], integer(0x80, 0x7f, 300)].concat();
        assert_eq!(verdict(&[path(), between, named(62)]), Err(Refusal::Fragment));
    }

    #[test]
    fn an_integer_without_end_is_refused() {
        assert_eq!(verdict(&[vec![0xff, 0xff, 0xff, 0xff, 0xff]]), Err(Refusal::HeadMalformed));
        assert_eq!(verdict(&[vec![0xff, 0xff, 0xff, 0xff, 0x7f]]), Ok(()));
    }

    proptest! {
        #[test]
        fn every_code_is_stepped_over_as_a_whole(
            text in proptest::collection::vec(0..CODES.len(), 0..40), kind in 0..3_usize
        ) {
            let text: Vec<u8> = text.into_iter().map(|at| CODES[at].0).collect();
            let expected = if text.contains(&b'#') { Err(Refusal::Fragment) } else { Ok(()) };

            prop_assert_eq!(verdict(&[literal(KINDS[kind], 4, b"", &text, true)]), expected);
        }

        #[test]
        fn the_verdict_does_not_depend_on_how_the_bytes_were_cut(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0..200_usize
        ) {
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            let mut block = Block::default();
            let pieces = block.feed(left).and_then(|()| block.feed(right));

            prop_assert_eq!(pieces, verdict(std::slice::from_ref(&bytes)));
        }
    }
}
