//! Counts what an HTTP/2 peer sends, frame by frame, and stops a flood.
//!
//! The HTTP/2 engine bounds streams, header lists and pending resets. What it does not bound
//! is the rate of frames that cost the receiver more than the sender: resets, pings,
//! settings, empty data, endless continuations (RFC 9113 §10.5). Only the nine bytes of each
//! frame's header are read here.

use super::refusal::Refusal;
use crate::clock::ticker::Millis;

const PREFACE: usize = 24;
const HEADER: usize = 9;
const WINDOW: Millis = 10_000;
const MAX_CONTINUATIONS: u32 = 32;

/// How much of what a peer may send within ten seconds.
#[derive(Clone, Copy, Debug)]
pub struct FrameLimits {
    /// `RST_STREAM` frames.
    pub resets: u32,
    /// `PING`, `SETTINGS`, `PRIORITY`, empty `DATA`, and `WINDOW_UPDATE` beyond what the
    /// bytes sent explain.
    pub control: u32,
}

/// Where the reading of one connection's frames stands.
#[derive(Debug)]
pub struct Frames {
    limits: FrameLimits,
    skip: usize,
    header: [u8; HEADER],
    filled: usize,
    window_began: Millis,
    resets: u32,
    control: u32,
    updates: u64,
    sent: u64,
    continuations: u32,
    block_since: Option<Millis>,
}

impl Frames {
    /// Begins before the connection preface.
    #[must_use]
    pub fn new(limits: FrameLimits) -> Self {
        Self {
            limits,
            skip: PREFACE,
            header: [0; HEADER],
            filled: 0,
            window_began: 0,
            resets: 0,
            control: 0,
            updates: 0,
            sent: 0,
            continuations: 0,
            block_since: None,
        }
    }

    /// Since when a header block has been open (RFC 9113 §6.10), if one is.
    #[must_use]
    pub fn block_since(&self) -> Option<Millis> {
        self.block_since
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
    /// block in too many frames. The connection must be closed.
    pub fn feed(&mut self, mut bytes: &[u8], now: Millis) -> Result<(), Refusal> {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let length = self.skip.min(bytes.len());
                self.skip -= length;
                bytes = bytes.get(length..).unwrap_or_default();
                continue;
            }
            let length = (HEADER - self.filled).min(bytes.len());
            let (part, rest) = bytes.split_at(length);
            if let Some(place) = self.header.get_mut(self.filled..self.filled + length) {
                place.copy_from_slice(part);
            }
            self.filled += length;
            bytes = rest;
            if self.filled == HEADER {
                self.filled = 0;
                self.frame(now)?;
            }
        }
        Ok(())
    }

    fn frame(&mut self, now: Millis) -> Result<(), Refusal> {
        let [high, middle, low, kind, flags, ..] = self.header;
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.skip = length;
        if now >= self.window_began + WINDOW {
            self.window_began = now;
            (self.resets, self.control, self.updates, self.sent) = (0, 0, 0, 0);
        }
        match kind {
            0 if length == 0 && flags & 1 == 0 => self.control += 1, // DATA
            1 => {
                // HEADERS
                self.continuations = 0;
                self.block_since = (flags & 4 == 0).then_some(now);
            }
            2 | 4 | 6 => self.control += 1, // PRIORITY, SETTINGS, PING
            3 => self.resets += 1,          // RST_STREAM
            8 => self.updates += 1,         // WINDOW_UPDATE
            9 => {
                // CONTINUATION
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
}
