//! The frames of an HTTP/2 connection: counted alike however the bytes were cut, and as a count
//! apart finds them.
//!
//! An input is the bytes of a connection, its preface included.

use crate::wire::frames::{FrameLimits, Frames};
use crate::wire::refusal::Refusal;

const LIMITS: FrameLimits = FrameLimits { resets: 3, control: 5 };
const PREFACE: usize = 24;
const HEADER: usize = 9;

pub(super) fn ask(input: &[u8]) {
    let whole = read([input].into_iter());
    let (left, right) = super::cut(input);
    assert_eq!(whole, read([left, right].into_iter()), "cut at {}", left.len());
    assert_eq!(whole, read(input.chunks(1)), "byte by byte");
    // What is wrong inside a header block is nothing that can be counted.
    if !matches!(whole.0, Err(Refusal::Fragment | Refusal::HeadMalformed)) {
        assert_eq!(whole, count(input.get(PREFACE..).unwrap_or_default()), "counted apart");
    }
}

/// The verdict, and whether a header block is open.
fn read<'b>(mut pieces: impl Iterator<Item = &'b [u8]>) -> (Result<(), Refusal>, bool) {
    let mut frames = Frames::new(LIMITS);
    let verdict = pieces.try_for_each(|piece| frames.feed(piece, 1));
    (verdict, frames.block_since().is_some())
}

fn count(mut bytes: &[u8]) -> (Result<(), Refusal>, bool) {
    let (mut resets, mut control, mut continuations, mut is_open) = (0_u32, 0_u32, 0_u32, false);
    while let Some(([high, middle, low, kind, flags, ..], rest)) =
        bytes.split_first_chunk::<HEADER>()
    {
        let length = u32::from_be_bytes([0, *high, *middle, *low]);
        let ends_block = flags & 4 != 0;
        match kind {
            0 => control += u32::from(length == 0 && flags & 1 == 0),
            1 => (continuations, is_open) = (0, !ends_block),
            3 => resets += 1,
            2 | 4 | 6 | 8 => control += 1,
            9 => {
                continuations += 1;
                is_open &= !ends_block;
            }
            _ => {}
        }
        if continuations > 32 {
            return (Err(Refusal::HeadTooLarge), is_open);
        }
        if resets > LIMITS.resets || control > LIMITS.control {
            return (Err(Refusal::Flood), is_open);
        }
        bytes = usize::try_from(length).ok().and_then(|length| rest.get(length..)).unwrap_or(&[]);
    }
    (Ok(()), is_open)
}
