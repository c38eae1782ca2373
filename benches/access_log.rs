//! A request's line in the access log, and its id.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

use criterion::Criterion;
use doorward::telemetry::access_log::{Format, LogWriter, Origin, Record, Sink, Verdict};
use doorward::telemetry::id::IdSource;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("access_log");
    let origin = Origin::new("main".into(), ([192, 0, 2, 7], 50_001).into());
    let allowed = record(&origin);
    let refused = Record {
        decision_id: Some(b"01jdab3g4zp8n5v0qk2m"),
        verdict: Verdict::Deny,
        status: 403,
        reason: "outside_home",
        ambiguity: None,
        endpoint: None,
        upstream: None,
        first_byte_us: None,
        ..allowed
    };
    let hostile = Record { path: b"/files/\x1b[31m\xff\r\n\"quoted\"\\", ..refused };
    for (name, format, record) in [
        ("json", Format::Json, &allowed),
        ("json_refused", Format::Json, &refused),
        ("json_escaped", Format::Json, &hostile),
        ("text", Format::Text, &allowed),
    ] {
        // What the writer does with it is on a thread of its own.
        let writer = LogWriter::start(Sink::File(PathBuf::from("/dev/null")), format, 1 << 20);
        let writer = writer.unwrap();
        let mut buffer = writer.buffer();
        group.bench_function(name, |bencher| bencher.iter(|| buffer.write(black_box(record))));
        drop(buffer);
        assert!(writer.stop(Duration::from_secs(10)), "the writer does not end");
    }
    group.bench_function("id", |bencher| {
        let mut ids = IdSource::random().unwrap();
        bencher.iter(|| ids.next_id());
    });
    group.finish();
}

fn record(origin: &Origin) -> Record<'_> {
    Record {
        time_unix_ms: 1_795_391_642_007,
        request_id: b"01jdab3g4zp8n5v0qk2n",
        decision_id: None,
        origin,
        client: None,
        protocol: "HTTP/1.1",
        method: "GET",
        host: Some("files.example.org"),
        path: b"/files/alice/photos/2026/a%20name.jpg",
        has_query: true,
        status: 200,
        verdict: Verdict::Allow,
        reason: "permitted",
        ambiguity: None,
        user: Some("alice"),
        credential: Some("bearer"),
        authority: Some("local"),
        route: Some("files"),
        endpoint: None,
        upstream: Some("files"),
        request_bytes: 0,
        response_bytes: 18_244,
        duration_us: 1234,
        first_byte_us: Some(987),
        generation: 7,
        user_agent: Some(b"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    }
}
