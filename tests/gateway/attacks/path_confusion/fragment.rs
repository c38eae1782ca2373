//! What stands behind `#`.

use super::super::exchange::{Streams, authorization, get, status};
use super::homes;
use crate::support::frames::{self, Outcome};
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

#[test]
fn a_fragment_is_a_part_of_no_target() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let authorization = authorization("alice");
    let whole = "/files/alice/x?file=/files/alice/y&z=1";
    let cut = (0..=whole.len()).map(|at| format!("{}#{}", &whole[..at], &whole[at..]));
    let hidden =
        ["/files/bob/x#/../../alice/ok", "/files/alice/x#/../../bob", "#", "/#", "/x.html#.png"]
            .map(str::to_owned);

    for target in cut.chain(hidden) {
        assert_eq!(status(&gateway, get(&target, &authorization)), 400, "{target}");
        let absolute = format!("http://files.test{target}");
        assert_eq!(status(&gateway, get(&absolute, &authorization)), 400, "{absolute}");
    }
    upstream.assert_untouched();
}

/// `:path` with this value, in every way that RFC 7541 §6 has for a literal: with the name by index
/// or as text, plain or in Huffman code, kept in the table or not.
fn written(path: &str, coded: &[u8]) -> Vec<Vec<u8>> {
    let plain = [&[u8::try_from(path.len()).unwrap()][..], path.as_bytes()].concat();
    let coded = [&[0x80 | u8::try_from(coded.len()).unwrap()][..], coded].concat();
    let name = [&[5][..], b":path"].concat();
    let coded_name = [0x84, 0xb9, 0x58, 0xd3, 0x3f];
    let mut all = Vec::new();
    for kind in [0x00, 0x10, 0x40] {
        for value in [&plain, &coded] {
            all.push([&[kind | 4][..], value].concat());
            all.push([&[kind | 5][..], value].concat());
            all.push([&[kind][..], &name, value].concat());
            all.push([&[kind][..], &coded_name, value].concat());
        }
    }
    all
}

#[test]
fn a_fragment_is_a_part_of_no_http_2_path_however_it_is_coded() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let head =
        frames::block(&[(":method", "GET"), (":scheme", "https"), (":authority", "files.test")]);
    let tail = frames::block(&[("authorization", &authorization)]);
    // "/x#" and "/x": 011000 1111001 111111111010, and padding.
    let (bad, good) = (written("/x#", &[0x63, 0xcf, 0xfd, 0x7f]), written("/x", &[0x63, 0xcf]));
    let mut streams = Streams::of(&gateway);

    for path in &bad {
        let outcome = streams.block(&[&head[..], path, &tail].concat());
        assert!(outcome.is_refusal(), "{path:?}: {outcome:?}");
        // The name from an entry of the table that was made by a good request.
        let mut streams = Streams::of(&gateway);
        let kept = [&[0x44, 2][..], b"/x"].concat();
        streams.block(&[&head[..], &kept, &tail].concat());
        let again = [&[0x0f, 62 - 15, 3][..], b"/x#"].concat();
        let outcome = streams.block(&[&head[..], &again, &tail].concat());
        assert!(outcome.is_refusal(), "{outcome:?}");
    }
    upstream.assert_untouched();
    gateway.log_lines("\"reason\":\"fragment\"");
    for path in &good {
        // `/x` is nobody's: that it was read is what the answer says.
        let outcome = streams.block(&[&head[..], path, &tail].concat());
        assert!(matches!(outcome, Outcome::Response(404, _)), "{path:?}: {outcome:?}");
    }
}

#[test]
fn a_fragment_in_pieces_of_a_header_block_is_seen() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let block = frames::block(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "files.test"),
        (":path", "/files/alice/x#/../../bob"),
        ("authorization", &authorization),
    ]);

    for at in [1, 45, 60, 70, 80, block.len() - 1] {
        let outcome = Streams::of(&gateway).with(|raw, stream| {
            let (left, right) = block.split_at(at);
            let padded = [&[4, 0, 0, 0, 0, 7][..], left, &[0; 4]].concat();
            let flags = frames::END_STREAM | 0x8 | 0x20;
            raw.frame(frames::HEADERS, flags, stream, &padded)?;
            raw.frame(frames::CONTINUATION, frames::END_HEADERS, stream, right)
        });
        assert!(outcome.is_refusal(), "{at}: {outcome:?}");
    }
    upstream.assert_untouched();
}
