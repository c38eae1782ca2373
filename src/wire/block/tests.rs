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
