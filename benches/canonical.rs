//! Bytes of a request → the one canonical form.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use doorward::resource::{
    CanonicalHost, CanonicalPath, CanonicalQuery, Destination, Dialect, ResourceError,
};

pub(crate) fn bench(criterion: &mut Criterion) {
    paths(criterion);
    queries(criterion);
    hosts(criterion);
}

fn paths(criterion: &mut Criterion) {
    let long = format!("/files{}", "/segment-of-a-long-path".repeat(80));
    let long_encoded = long.replace('-', "%2d");
    let mut group = criterion.benchmark_group("canonical_path");
    for (name, raw) in [
        ("short", "/files/alice/notes.txt"),
        ("canonical_escapes", "/files/alice/a%20name%20with%20%C3%BC.txt"),
        ("re_encoded", "/files/alice/a%20n%61me%20with%20%c3%bc.txt"),
        ("long", &long),
        ("long_re_encoded", &long_encoded),
        ("refused", "/files/alice/..%2fbob/x"),
    ] {
        let canonical = CanonicalPath::parse(raw);
        assert_eq!(canonical.is_ok(), name != "refused", "{name}");
        group.throughput(Throughput::Bytes(raw.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let path = CanonicalPath::parse(black_box(raw))?;
                path.admit(black_box(Dialect::Posix))?;
                Ok::<_, ResourceError>(black_box(path.as_str().len()))
            });
        });
    }
    group.finish();
}

fn queries(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("canonical_query");
    for (name, raw) in [
        ("none", None),
        ("canonical", Some("dir=/alice/photos&sort=name&limit=100")),
        ("re_encoded", Some("dir=%2falice%2fphotos&sort=n%61me&limit=100")),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let query = CanonicalQuery::parse(black_box(raw)).unwrap();
                black_box(query.as_str().map(str::len))
            });
        });
    }
    group.bench_function("values", |bencher| {
        let query = CanonicalQuery::parse(Some("sort=name&dir=/alice/a&dir=/alice/b")).unwrap();
        bencher.iter(|| black_box(&query).values(black_box("dir")).flatten().count());
    });
    group.finish();
}

fn hosts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("canonical_host");
    for (name, raw) in [
        ("canonical", "files.example.org"),
        ("lowered", "Files.Example.ORG.:8443"),
        ("ipv6", "[2001:db8::7]:8443"),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(CanonicalHost::parse(black_box(raw)).unwrap().name().len()));
        });
    }
    group.bench_function("destination", |bencher| {
        let host = CanonicalHost::parse("files.example.org").unwrap();
        let value = "https://files.example.org/files/alice/copy.txt";
        bencher.iter(|| Destination::parse(black_box(value), black_box(&host), true).is_ok());
    });
    group.finish();
}
