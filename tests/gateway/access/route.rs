//! Routes: host, longest prefix, method; permissions, roles and groups.

use super::{routes, targets};
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

#[test]
fn the_longest_prefix_wins_by_whole_segments() {
    let upstream = TestUpstream::start();
    let gateway = routes(
        &upstream,
        &[
            ("routes.short", "path = \"/a\"\nmethods = [\"GET\"]"),
            ("routes.long", "path = \"/a/b\"\nmethods = [\"PUT\"]"),
        ],
    )
    .start();
    let status =
        |method: &str, target: &str| gateway.ask(method, target).bearer("alice").send().status();

    assert_eq!(status("GET", "/a"), 200);
    assert_eq!(status("GET", "/a/bc"), 200);
    assert_eq!(status("PUT", "/a/b"), 200);
    assert_eq!(status("PUT", "/a/b/c"), 200);
    assert_eq!(status("GET", "/a/b/c"), 405);
    assert_eq!(status("PUT", "/a/c"), 405);
    assert_eq!(status("GET", "/ab"), 404);
    assert_eq!(status("GET", "/"), 404);
    assert_eq!(targets(&upstream), ["/a", "/a/bc", "/a/b", "/a/b/c"]);
}

#[test]
fn a_route_is_chosen_by_host_in_every_spelling() {
    let upstream = TestUpstream::start();
    let gateway = routes(
        &upstream,
        &[
            ("routes.exact", "hosts = [\"files.test\"]\nmethods = [\"GET\"]"),
            ("routes.wild", "hosts = [\"*.wild.test\"]\nmethods = [\"GET\"]"),
        ],
    )
    .start();
    let status = |host: &str| gateway.get("/x").host(host).bearer("alice").send().status();

    for host in
        ["files.test", "FILES.TEST", "files.test.", "files.test:8080", "a.wild.test", "A.WILD.test"]
    {
        assert_eq!(status(host), 200, "{host}");
    }
    let reached = upstream.requests().len();
    for host in [
        "other.test",
        "xfiles.test",
        "files.test.evil",
        "wild.test",
        ".wild.test",
        "a.b.wild.test.evil",
    ] {
        assert!(matches!(status(host), 400 | 404 | 421), "{host}");
    }
    assert_eq!(upstream.requests().len(), reached);
}

#[test]
fn a_method_that_the_route_does_not_list_is_405_with_allow() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).route("methods = [\"GET\", \"PUT\"]").start();

    for method in ["POST", "DELETE", "MOVE", "GETX", "get"] {
        let response = gateway.ask(method, "/x").bearer("alice").send();
        assert_eq!(response.status(), 405, "{method}");
        let allow = response.header("allow").unwrap_or("");
        let mut allow = allow.split(',').map(str::trim).collect::<Vec<_>>();
        allow.sort_unstable();
        assert_eq!(allow, ["GET", "PUT"], "{method}");
    }

    upstream.assert_untouched();
}

#[test]
fn allow_names_the_methods_of_all_routes_of_the_path() {
    let upstream = TestUpstream::start();
    let gateway = routes(
        &upstream,
        &[
            ("routes.read", "path = \"/a\"\nmethods = [\"GET\", \"HEAD\"]"),
            ("routes.write", "path = \"/a\"\nmethods = [\"PUT\"]"),
            ("routes.other", "path = \"/a\"\nhosts = [\"b.test\"]\nmethods = [\"DELETE\"]"),
        ],
    )
    .start();
    let allow = |host: &str| {
        let response = gateway.ask("POST", "/a/x").host(host).bearer("alice").send();
        assert_eq!(response.status(), 405, "{host}");
        response.header("allow").unwrap_or("").to_owned()
    };

    assert_eq!(allow("a.test"), "GET, HEAD, PUT");
    assert_eq!(allow("b.test"), "DELETE");
    upstream.assert_untouched();
}

#[test]
fn permissions_are_demanded_by_method() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("permissions = { GET = \"files:read\", \"*\" = \"files:write\" }")
        .start();
    let status = |method: &str, user: &str| gateway.ask(method, "/x").bearer(user).send().status();

    assert_eq!(status("PUT", "bob"), 403);
    assert_eq!(status("DELETE", "bob"), 403);
    assert_eq!(status("GET", "dave"), 403);
    assert_eq!(status("HEAD", "dave"), 403);
    upstream.assert_untouched();
    assert_eq!(status("GET", "bob"), 200);
    assert_eq!(status("GET", "alice"), 200);
    assert_eq!(status("DELETE", "alice"), 200);
    assert_eq!(upstream.requests().len(), 3);
}

#[test]
fn an_insufficient_scope_is_said_to_bearers() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).route("permissions = { \"*\" = \"files:write\" }").start();

    let response = gateway.get("/x").bearer("bob").send();

    assert_eq!(response.status(), 403);
    let decision = response.problem()["decision"].as_str().unwrap().to_owned();
    assert!(gateway.log_lines(&decision).iter().any(|line| line.contains("bob")));
    assert!(!response.text().contains("files:write"), "{}", response.text());
    upstream.assert_untouched();
}

#[test]
fn roles_and_groups_are_demanded() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section(
            "routes.roles",
            "upstream = \"files\"\npath = \"/roles\"\nroles = [\"editor\", \"boss\"]",
        )
        .section("routes.groups", "upstream = \"files\"\npath = \"/groups\"\ngroups = [\"ops\"]")
        .start();
    let status = |target: &str, user: &str| gateway.get(target).bearer(user).send().status();

    assert_eq!(status("/roles", "bob"), 403);
    assert_eq!(status("/groups", "bob"), 403);
    assert_eq!(status("/groups", "root"), 403);
    upstream.assert_untouched();
    assert_eq!(status("/roles", "alice"), 200);
    assert_eq!(status("/groups", "alice"), 200);
}

#[test]
fn without_a_route_there_is_nothing() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", "path = \"/files\"")]).start();

    for target in ["/", "/file", "/filesx", "/files2/x", "/FILES/x"] {
        let response = gateway.get(target).bearer("alice").send();
        assert_eq!(response.status(), 404, "{target}");
        response.problem();
    }

    upstream.assert_untouched();
}
