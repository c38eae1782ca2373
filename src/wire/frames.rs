//! Counts what an HTTP/2 peer sends, frame by frame, and stops a flood.
//!
//! The HTTP/2 engine bounds streams, header lists and pending resets. What it does not bound
//! is the rate of frames that cost the receiver more than the sender: resets, pings,
//! settings, empty data, endless continuations (RFC 9113 §10.5). Only the nine bytes of each
//! frame's header are read here, and header blocks for the one thing that the engine hides
//! (`block`).

use super::block::Block;
use super::refusal::Refusal;
use crate::clock::ticker::Millis;

const PREFACE: usize = 24;
const HEADER: usize = 9;
const WINDOW: Millis = 10_000;
const MAX_CONTINUATIONS: u32 = 32;

const HEADERS: u8 = 1;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;

const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// The bit of a stream's number that means nothing.
const RESERVED: u32 = 1 << 31;

/// How much of what a peer may send within ten seconds.
#[derive(Clone, Copy, Debug)]
pub struct FrameLimits {
    /// `RST_STREAM` frames.
    pub resets: u32,
    /// `PING`, `SETTINGS`, `PRIORITY`, empty `DATA`, and `WINDOW_UPDATE` beyond what the
    /// bytes sent explain.
    pub control: u32,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// A frame's header, of which so many bytes have come.
    Header { filled: usize },
    /// What stands before a header block: padding's length, priority.
    Prefix { bytes: [u8; 6], filled: usize },
    /// A header block, and the padding behind it.
    Block { left: usize, padding: usize },
    /// What is not looked at.
    Skipped { left: usize },
}

/// Where the reading of one connection's frames stands.
#[derive(Debug)]
pub struct Frames {
    limits: FrameLimits,
    place: Place,
    header: [u8; HEADER],
    block: Block,
    window_began: Millis,
    resets: u32,
    control: u32,
    updates: u64,
    sent: u64,
    continuations: u32,
    block_since: Option<Millis>,
    newest: u32,
}

impl Frames {
    /// Begins before the connection preface.
    #[must_use]
    pub fn new(limits: FrameLimits) -> Self {
        Self {
            limits,
            place: Place::Skipped { left: PREFACE },
            header: [0; HEADER],
            block: Block::default(),
            window_began: 0,
            resets: 0,
            control: 0,
            updates: 0,
            sent: 0,
            continuations: 0,
            block_since: None,
            newest: 0,
        }
    }

    /// Since when a header block has been open (RFC 9113 §6.10), if one is.
    #[must_use]
    pub fn block_since(&self) -> Option<Millis> {
        self.block_since
    }

    /// The newest stream that was begun, 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u32 {
        self.newest
    }

    /// Notes bytes written to the peer: each kibibyte of them pays for one `WINDOW_UPDATE`.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += u64::try_from(bytes).unwrap_or(0);
    }

    /// Reads on.
    ///
    /// # Errors
    ///
    /// [`Refusal::Flood`] when a limit is passed, [`Refusal::HeadTooLarge`] for a header
    /// block in too many frames, [`Refusal::Fragment`] for a `#` in a `:path`,
    /// [`Refusal::HeadMalformed`] for a frame of header fields that breaks the rules. The
    /// connection must be closed.
    pub fn feed(&mut self, mut bytes: &[u8], now: Millis) -> Result<(), Refusal> {
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Skipped { left } => {
                    let length = left.min(bytes.len());
                    self.skip(left - length);
                    bytes.get(length..).unwrap_or_default()
                }
                Place::Header { filled } => {
                    let (filled, rest) = fill(&mut self.header, filled, bytes);
                    self.place = Place::Header { filled };
                    if filled == HEADER {
                        self.frame(now)?;
                    }
                    rest
                }
                Place::Prefix { bytes: mut prefix, filled } => {
                    let needed = prefix_length(self.header[4]);
                    let Some(room) = prefix.get_mut(..needed) else { break };
                    let (filled, rest) = fill(room, filled, bytes);
                    self.place = Place::Prefix { bytes: prefix, filled };
                    if filled == needed {
                        self.end_prefix(prefix)?;
                    }
                    rest
                }
                Place::Block { left, padding } => {
                    let (fragment, rest) = bytes.split_at(left.min(bytes.len()));
                    self.block.feed(fragment)?;
                    self.enter_block(left - fragment.len(), padding);
                    rest
                }
            };
        }
        Ok(())
    }

    fn skip(&mut self, left: usize) {
        self.place = if left == 0 { Place::Header { filled: 0 } } else { Place::Skipped { left } };
    }

    fn enter_block(&mut self, left: usize, padding: usize) {
        if left == 0 {
            self.skip(padding);
        } else {
            self.place = Place::Block { left, padding };
        }
    }

    /// RFC 9113 §6.2. What is not kept to here, the engine ends the connection for; but for a
    /// stream that depends on itself it ends the stream, and forgets to read the block.
    fn end_prefix(&mut self, prefix: [u8; 6]) -> Result<(), Refusal> {
        let [_, _, _, kind, flags, ..] = self.header;
        debug_assert_eq!(kind, HEADERS);
        let [pad, rest @ ..] = prefix;
        let (padding, priority) = if flags & PADDED == 0 {
            (0, prefix.first_chunk::<4>())
        } else {
            (usize::from(pad), rest.first_chunk::<4>())
        };
        let depends_on = priority.map(|bytes| u32::from_be_bytes(*bytes) & !RESERVED);
        if flags & PRIORITY != 0 && depends_on == Some(self.stream()) {
            return Err(Refusal::HeadMalformed);
        }
        let left = self.length().checked_sub(prefix_length(flags) + padding);
        self.enter_block(left.ok_or(Refusal::HeadMalformed)?, padding);
        Ok(())
    }

    /// The length of the frame at hand.
    fn length(&self) -> usize {
        let [high, middle, low, ..] = self.header;
        usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)
    }

    /// The stream of the frame at hand.
    fn stream(&self) -> u32 {
        let [.., one, two, three, four] = self.header;
        u32::from_be_bytes([one, two, three, four]) & !RESERVED
    }

    fn frame(&mut self, now: Millis) -> Result<(), Refusal> {
        let [_, _, _, kind, flags, ..] = self.header;
        let length = self.length();
        match kind {
            HEADERS => {
                self.block.begin();
                self.newest = self.newest.max(self.stream());
                match prefix_length(flags) {
                    0 => self.enter_block(length, 0),
                    needed if needed <= length => {
                        self.place = Place::Prefix { bytes: [0; 6], filled: 0 };
                    }
                    _ => return Err(Refusal::HeadMalformed),
                }
            }
            CONTINUATION => self.enter_block(length, 0),
            PUSH_PROMISE => return Err(Refusal::HeadMalformed), // clients push nothing (§8.4)
            _ => self.skip(length),
        }
        if now >= self.window_began + WINDOW {
            self.window_began = now;
            (self.resets, self.control, self.updates, self.sent) = (0, 0, 0, 0);
        }
        match kind {
            0 if length == 0 && flags & 1 == 0 => self.control += 1, // DATA
            HEADERS => {
                self.continuations = 0;
                self.block_since = (flags & 4 == 0).then_some(now);
            }
            2 | 4 | 6 => self.control += 1, // PRIORITY, SETTINGS, PING
            3 => self.resets += 1,          // RST_STREAM
            8 => self.updates += 1,         // WINDOW_UPDATE
            CONTINUATION => {
                self.continuations += 1;
                if flags & 4 != 0 {
                    self.block_since = None;
                }
            }
            _ => {}
        }
        if self.continuations > MAX_CONTINUATIONS {
            return Err(Refusal::HeadTooLarge);
        }
        let unpaid = self.updates.saturating_sub(self.sent / 1024);
        let is_flood = self.resets > self.limits.resets
            || u64::from(self.control) + unpaid > u64::from(self.limits.control);
        if is_flood { Err(Refusal::Flood) } else { Ok(()) }
    }
}

/// How much stands before the header block of a HEADERS frame.
fn prefix_length(flags: u8) -> usize {
    let padding = usize::from(flags & PADDED != 0);
    let priority = if flags & PRIORITY == 0 { 0 } else { 5 };
    padding + priority
}

/// Puts what fits behind the `filled` bytes of `room`. Returns how many there are then, and the rest.
fn fill<'b>(room: &mut [u8], filled: usize, bytes: &'b [u8]) -> (usize, &'b [u8]) {
    let length = room.len().saturating_sub(filled).min(bytes.len());
    let (part, rest) = bytes.split_at(length);
    if let Some(place) = room.get_mut(filled..filled + length) {
        place.copy_from_slice(part);
    }
    (filled + length, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: FrameLimits = FrameLimits { resets: 3, control: 4 };

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        let mut bytes = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        bytes.extend_from_slice(payload);
        bytes
    }

    fn begun() -> Frames {
        let mut frames = Frames::new(LIMITS);
        frames.feed(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0).unwrap();
        frames
    }

    #[test]
    fn resets_beyond_the_limit_are_a_flood_however_they_are_cut() {
        let mut frames = begun();
        let bytes = frame(3, 0, &[0; 4]).repeat(4);

        let verdict = bytes.iter().try_for_each(|byte| frames.feed(&[*byte], 0));

        assert_eq!(verdict, Err(Refusal::Flood));
    }

    #[test]
    fn resets_spread_over_time_are_not_a_flood() {
        let mut frames = begun();
        for turn in 0..20 {
            frames.feed(&frame(3, 0, &[0; 4]), turn * 5_000).unwrap();
        }
    }

    #[test]
    fn pings_settings_and_empty_data_count_together() {
        let mut frames = begun();
        for kind in [6, 4, 2, 0] {
            frames.feed(&frame(kind, 0, &[]), 0).unwrap();
        }
        assert_eq!(frames.feed(&frame(6, 0, &[0; 8]), 0), Err(Refusal::Flood));
    }

    #[test]
    fn window_updates_are_paid_for_by_what_was_sent() {
        let mut frames = begun();
        frames.sent(100 * 1024);
        for _ in 0..100 {
            frames.feed(&frame(8, 0, &[0; 4]), 0).unwrap();
        }
        let verdict = (0..10).try_for_each(|_| frames.feed(&frame(8, 0, &[0; 4]), 0));
        assert_eq!(verdict, Err(Refusal::Flood));
    }

    #[test]
    fn a_header_block_in_endless_continuations_is_refused() {
        let mut frames = begun();
        frames.feed(&frame(1, 0, &[0; 5]), 7).unwrap();
        assert_eq!(frames.block_since(), Some(7));

        let verdict = (0..40).try_for_each(|_| frames.feed(&frame(9, 0, &[]), 8));

        assert_eq!(verdict, Err(Refusal::HeadTooLarge));
    }

    #[test]
    fn the_newest_stream_is_the_one_with_the_highest_number() {
        let mut frames = begun();
        assert_eq!(frames.newest(), 0);
        for (reserved, stream) in [(0, 5), (0x80, 7), (0, 3)] {
            let mut bytes = frame(1, 4, &[0x82]);
            (bytes[5], bytes[8]) = (reserved, stream);
            frames.feed(&bytes, 0).unwrap();
        }
        assert_eq!(frames.newest(), 7);
    }

    /// `:path` as a literal, name indexed, value plain.
    fn path(value: &str) -> Vec<u8> {
        [&[0x04, u8::try_from(value.len()).unwrap()][..], value.as_bytes()].concat()
    }

    fn fed(bytes: &[u8], piece: usize) -> Result<(), Refusal> {
        let mut frames = begun();
        bytes.chunks(piece).try_for_each(|piece| frames.feed(piece, 0))
    }

    #[test]
    fn a_fragment_is_found_behind_padding_and_priority_and_however_it_is_cut() {
        let (good, bad) = (path("/files/alice/x"), path("/files/alice/x#/../bob"));
        let padded = |block: &[u8]| [&[3][..], block, b"#/#"].concat();
        let prior = |block: &[u8]| [&[0, 0, 0, 0, 9][..], block].concat();
        let both = |block: &[u8]| [&[3, 0, 0, 0, 0, 9][..], block, b"#/#"].concat();
        let split = |block: &[u8]| {
            let (left, right) = block.split_at(4);
            [frame(1, 0, left), frame(9, 0, b""), frame(9, 4, right)].concat()
        };
        let forms = |block: &[u8]| {
            [
                frame(1, 0x4, block),
                frame(1, 0xc, &padded(block)),
                frame(1, 0x24, &prior(block)),
                frame(1, 0x2c, &both(block)),
                split(block),
            ]
        };
        for (good, bad) in forms(&good).into_iter().zip(forms(&bad)) {
            for piece in [1, 2, 3, 7, 1000] {
                let twice = [good.clone(), frame(0, 0, b"#"), good.clone()].concat();
                assert_eq!(fed(&twice, piece), Ok(()));
                let bytes = [good.clone(), bad.clone()].concat();
                assert_eq!(fed(&bytes, piece), Err(Refusal::Fragment));
            }
        }
    }

    #[test]
    fn frames_of_fields_that_break_the_rules_are_refused() {
        for bytes in [
            frame(1, 0x8, b""),
            frame(1, 0x20, b"1234"),
            frame(1, 0x8, &[9, 0x82]),
            frame(1, 0x24, &[0, 0, 0, 1, 0, 0x82]),
            frame(1, 0x2c, &[0, 0x80, 0, 0, 1, 0, 0x82]),
            frame(5, 0x4, &[0, 0, 0, 2, 0x82]),
        ] {
            assert_eq!(fed(&bytes, 1000), Err(Refusal::HeadMalformed), "{bytes:?}");
            assert_eq!(fed(&bytes, 1), Err(Refusal::HeadMalformed), "{bytes:?}");
        }
    }
}
