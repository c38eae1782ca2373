//! The whole way of a request, over loopback and a connection that is kept: client, worker,
//! upstream and back. `direct` is the same without the gateway, so that the difference to it is
//! what the gateway costs, with log, counters and limits on.

use criterion::{BatchSize, Criterion, Throughput};

use crate::support::client::{Client, basic, bearer, get};
use crate::support::gateway::Gateway;
use crate::support::upstream;

pub(crate) fn bench(criterion: &mut Criterion) {
    let upstream = upstream::start();
    let gateway = Gateway::start(upstream);
    let token = bearer(&gateway.site.token(0));
    let password = basic("alice", "alice-example");
    let mut group = criterion.benchmark_group("request");
    group.throughput(Throughput::Elements(1));

    let direct = get("/open/notes.txt", "");
    for (name, address, request, status) in [
        ("direct", upstream, direct.clone(), 200),
        ("anonymous", gateway.address, direct, 200),
        ("token", gateway.address, get("/plain/notes.txt", &token), 200),
        ("token_and_home", gateway.address, get("/rewrite/notes.txt", &token), 200),
        ("password_remembered", gateway.address, get("/plain/notes.txt", &password), 200),
        ("no_credential", gateway.address, get("/plain/notes.txt", ""), 401),
        ("outside_home", gateway.address, get("/require/bob/notes.txt", &token), 403),
        ("ambiguous_path", gateway.address, get("/plain/..%2fnotes.txt", &token), 400),
    ] {
        let mut client = Client::connect(address);
        assert_eq!(client.exchange(&request), status, "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| client.exchange(&request)));
    }

    let mut client = Client::connect(gateway.address);
    let mut number = 0;
    group.bench_function("token_cold", |bencher| {
        let request = || {
            number += 1;
            get("/plain/notes.txt", &bearer(&gateway.site.token(number)))
        };
        let send = |request: Vec<u8>| client.exchange(&request);
        bencher.iter_batched(request, send, BatchSize::SmallInput);
    });
    group.finish();
}
