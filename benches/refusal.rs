//! What refusing a password costs, over loopback: for a wrong password, for a user who does not
//! exist and for one who is disabled. Whoever can tell these apart by the time they take learns
//! who has an account, so the three must not differ by more than the noise.

use criterion::{BenchmarkId, Criterion, SamplingMode};

use crate::support::client::{Client, basic, get};
use crate::support::gateway::Gateway;
use crate::support::upstream;

pub(crate) fn bench(criterion: &mut Criterion) {
    let gateway = Gateway::start(upstream::start());
    let mut group = criterion.benchmark_group("refusal_cost");
    // Milliseconds each.
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    for (name, user, password) in [
        ("wrong_password", "alice", "not-hers"),
        ("unknown_user", "nobody", "not-hers"),
        ("disabled_user", "mallory", "mallory-example"),
    ] {
        let mut client = Client::connect(gateway.address);
        let request = get("/plain/notes.txt", &basic(user, password));
        assert_eq!(client.exchange(&request), 401, "{name}");
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| client.exchange(&request));
        });
    }
    group.finish();
}
