//! The strict reading in front of the HTTP engine.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use doorward::wire::framing::{Framing, HeadLimits};

const LIMITS: HeadLimits =
    HeadLimits { request_line: 8 * 1024, header_bytes: 32 * 1024, header_count: 100 };

pub(crate) fn bench(criterion: &mut Criterion) {
    let small = "GET /files/alice/notes.txt HTTP/1.1\r\nHost: files.example.org\r\n\
                 User-Agent: curl/8.0\r\nAccept: */*\r\n\r\n";
    let chunks = "10000\r\n".to_owned() + &"x".repeat(0x1_0000) + "\r\n0\r\n\r\n";
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    let mut group = criterion.benchmark_group("framing");
    for (name, message) in [
        ("small_head", small),
        ("head_with_token", &with_fields(4, 800)),
        ("browser_head", &with_fields(18, 80)),
        ("chunked_64k", &(chunked + &chunks)),
    ] {
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(name, |bencher| {
            let mut framing = Framing::new(LIMITS); // one connection, message after message
            bencher.iter(|| framing.feed(black_box(message.as_bytes())).unwrap());
        });
    }
    let head = with_fields(18, 80);
    group.throughput(Throughput::Bytes(head.len() as u64));
    group.bench_function("browser_head_in_two_pieces", |bencher| {
        let (one, two) = head.as_bytes().split_at(head.len() / 2);
        let mut framing = Framing::new(LIMITS);
        bencher.iter(|| {
            framing.feed(black_box(one)).unwrap();
            framing.feed(black_box(two)).unwrap()
        });
    });
    group.finish();
}

fn with_fields(count: usize, length: usize) -> String {
    let mut head = "GET /files/alice/notes.txt HTTP/1.1\r\nHost: files.example.org\r\n".to_owned();
    for number in 1..count {
        let _ = write!(head, "X-Field-{number}: {}\r\n", "v".repeat(length));
    }
    head + "\r\n"
}
