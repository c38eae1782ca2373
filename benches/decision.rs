//! Canonical forms and a principal → route and permit, or a refusal.

use std::hint::black_box;
use std::net::IpAddr;
use std::rc::Rc;

use criterion::Criterion;
use doorward::home::{Content, Named};
use doorward::identity::Principal;
use doorward::policy::authorize;
use doorward::resource::{CanonicalHost, CanonicalPath, CanonicalQuery};
use doorward::route::{Route, Table};
use http::Method;

use crate::support::site::Site;

pub(crate) fn bench(criterion: &mut Criterion) {
    let site = Site::new("http://127.0.0.1:9");
    let snapshot = site.snapshot();
    let (directory, alice) = snapshot.identities.find("alice").unwrap();
    let alice = Rc::new(Principal::supposed(alice, directory.name()));
    let routes = snapshot.routes.routes();
    let route = |name: &str| routes.iter().find(|route| &*route.name == name).unwrap();

    find(criterion, route("plain"));

    let mut group = criterion.benchmark_group("authorize");
    let none = CanonicalQuery::parse(None).unwrap();
    let dir = CanonicalQuery::parse(Some("sort=name&dir=/alice/photos")).unwrap();
    for (name, route, path, query) in [
        ("without_home", route("plain"), "/plain/notes.txt", &none),
        ("home_required", route("require"), "/require/alice/notes.txt", &none),
        ("home_required_in_query", route("require"), "/require/alice/", &dir),
        ("home_rewritten", route("rewrite"), "/rewrite/notes.txt", &none),
        ("outside_home", route("require"), "/require/bob/notes.txt", &none),
    ] {
        let path = CanonicalPath::parse(path).unwrap();
        let client = IpAddr::from([127, 0, 0, 1]);
        let (destination, condition, content) = (None, None, Content::Unread);
        let named = Named { path: &path, query, destination, condition, content };
        let permit = authorize(&alice, route, &Method::GET, &named, client);
        assert_eq!(permit.is_ok(), name != "outside_home", "{name}");
        let mut out = Vec::with_capacity(256);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let permit =
                    authorize(black_box(&alice), route, &Method::GET, black_box(&named), client);
                if let Ok(permit) = permit {
                    out.clear();
                    permit.target().write_path_and_query(&mut out);
                }
                black_box(out.len())
            });
        });
    }
    group.finish();
}

fn find(criterion: &mut Criterion, template: &Route) {
    let mut group = criterion.benchmark_group("find_route");
    let host = CanonicalHost::parse("files.example.org").unwrap();
    let shallow = CanonicalPath::parse("/tenant-7/api/x").unwrap();
    let deep = CanonicalPath::parse("/tenant-7/api/a/b/c/d/e/f/g/h/notes.txt").unwrap();
    let nowhere = CanonicalPath::parse("/elsewhere/a/b/c").unwrap();
    for count in [10, 10_000] {
        let routes = (0..count).map(|number| Route {
            name: format!("tenant-{number}").into(),
            path: format!("/tenant-{number}/api").parse().unwrap(),
            ..template.clone()
        });
        let table = Table::new(routes.collect());
        for (name, path, is_found) in
            [("shallow", &shallow, true), ("deep", &deep, true), ("nowhere", &nowhere, false)]
        {
            assert_eq!(table.find(0, &host, path, &Method::GET).is_ok(), is_found, "{name}");
            group.bench_function(format!("{name}_of_{count}"), |bencher| {
                bencher.iter(|| {
                    let found = table.find(0, black_box(&host), black_box(path), &Method::GET);
                    black_box(found.is_ok())
                });
            });
        }
    }
    group.finish();
}
