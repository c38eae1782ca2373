use std::fs;

use super::*;
use crate::config::Config;
use crate::snapshot::Keep;
use crate::worker::decisions::NOWHERE;

/// Homes below `/files`, writing below `/drop`, a page for everybody, and another host.
const CONFIG: &str = r#"
[listeners.main]
address = "127.0.0.1:0"
[listeners.inner]
address = "127.0.0.1:0"
[upstreams.api]
url = "http://127.0.0.1:9000"
[directories.users]
file = "users.yaml"
[roles]
reader = ["files:read"]

[routes.files]
path = "/files"
methods = ["GET", "MOVE"]
upstream = "api"
home = { in = ["path", "header:destination", "header:if"], mode = "rewrite" }
permissions = { "*" = "files:read" }

[routes.drop]
path = "/files/drop"
methods = ["PUT"]
upstream = "api"
groups = ["ops"]
listeners = ["main"]

[routes.search]
path = "/search"
methods = ["POST"]
upstream = "api"
home = { in = ["json:files"], mode = "rewrite" }

[routes.page]
path = "/page"
upstream = "api"
accept = ["anonymous"]

[routes.host]
hosts = ["files.test"]
upstream = "api"
"#;

const USERS: &str = "
- { username: alice, password: x, roles: [reader], home: /alice }
- { username: bob, password: x }
- { username: carol, password: x, roles: [reader], home: /carol, disabled: true }
- { username: dave, roles: [reader], home: /dave }
";

struct Ask<'a> {
    listener: usize,
    host: Option<&'a str>,
    fields: &'a [(&'static str, &'a str)],
    user: Option<&'a str>,
    body: Option<&'a str>,
}

const ALICE: Ask<'static> =
    Ask { listener: 0, host: None, fields: &[], user: Some("alice"), body: None };

impl Ask<'_> {
    fn judge(&self, method: &str, target: &str) -> Report {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("doorward.toml"), CONFIG).unwrap();
        fs::write(folder.path().join("users.yaml"), USERS).unwrap();
        let config = Config::load(&folder.path().join("doorward.toml"), []).unwrap();
        let snapshot = Snapshot::build(&config, 1, &mut Keep::default()).unwrap();
        let mut fields = HeaderMap::new();
        for (name, value) in self.fields {
            fields.append(*name, value.parse().unwrap());
        }
        let who = self.user.map_or(Who::Nobody, |name| {
            let (directory, user) = snapshot.identities.find(name).unwrap();
            Who::User { user, directory }
        });
        let method = &method.parse().unwrap();
        let Ask { listener, host, body, .. } = *self;
        let body = body.map_or(Sent::Nothing, Sent::Body);
        let client = NOWHERE;
        judge(&snapshot, Question { listener, host, fields, body, method, target, who, client })
    }

    #[track_caller]
    fn forwards(&self, method: &str, target: &str, expected: &str) {
        let report = self.judge(method, target);

        let forwarded = report.forwarded.as_ref().map(|forwarded| forwarded.target.as_str());
        assert_eq!(forwarded, Some(expected), "{report}");
        assert_eq!(report.verdict, "allow");
    }

    #[track_caller]
    fn refuses(&self, method: &str, target: &str, status: u16, reason: &str) -> Report {
        let report = self.judge(method, target);

        let told = (report.status, report.reason.as_deref());
        assert_eq!(told, (Some(status), Some(reason)), "{report}");
        assert_eq!((&*report.verdict, report.is_allowed()), ("deny", false), "{report}");
        report
    }
}

#[test]
fn what_is_allowed_is_shown_as_it_would_be_sent() {
    ALICE.forwards("GET", "/files/%61.txt?b=%7e", "/files/alice/a.txt?b=~");
    ALICE.forwards("GET", "http://localhost/files/", "/files/alice/");
}

#[test]
fn the_canonical_target_is_shown_with_what_it_came_from() {
    let text = ALICE.judge("GET", "/files/%61.txt").to_string();

    assert!(text.contains("path       /files/a.txt, from /files/%61.txt\n"), "{text}");
    assert!(text.contains("route      files, "), "{text}");
    assert!(text.contains("doorward.toml:13:"), "{text}");
    assert!(text.contains("met      permission files:read: holds [files:read]"), "{text}");
    assert!(text.contains("http://127.0.0.1:9000"), "{text}");
}

#[test]
fn targets_are_refused_as_the_gateway_refuses_them() {
    ALICE.refuses("GET", "/files/../bob/diary.txt", 400, "dot_segment");
    ALICE.refuses("GET", "/files/%2e%2e/bob", 400, "dot_segment");
    ALICE.refuses("GET", "/files/a%2fb", 400, "encoded_slash");
    ALICE.refuses("GET", "/files/a#b", 400, "fragment");
    ALICE.refuses("GET", "/files/a b", 400, "request_line_malformed");
    ALICE.refuses("GET", "/files/a\r\nverdict    ALLOW", 400, "request_line_malformed");
    ALICE.refuses("GET", "files", 400, "target_form");
    ALICE.refuses("GET", "ftp://localhost/files", 400, "target_form");
    ALICE.refuses("OPTIONS", "*", 400, "target_form");
    ALICE.refuses("CONNECT", "localhost:1", 405, "method");
    ALICE.refuses("GET", "/files?%zz", 400, "invalid_percent");
    Ask { host: Some("a b"), ..ALICE }.refuses("GET", "/files", 400, "host_name");
    Ask { host: Some("b"), ..ALICE }.refuses("GET", "http://a/files", 400, "host_mismatch");
}

#[test]
fn a_target_cannot_write_lines_of_its_own() {
    let text = ALICE.judge("GET", "/files/a\nverdict    ALLOW").to_string();

    assert!(!text.contains("\nverdict    ALLOW"), "{text}");
}

#[test]
fn a_destination_is_judged_like_the_path() {
    let to = |value| [("destination", value)];

    let report = Ask { fields: &to("/files/b"), ..ALICE }.judge("MOVE", "/files/a");
    assert_eq!(report.forwarded.unwrap().destination.unwrap(), "/files/alice/b");
    let outside = to("/elsewhere");
    Ask { fields: &outside, ..ALICE }.refuses("MOVE", "/files/a", 403, "outside_home");
    let elsewhere = to("http://other/files/b");
    Ask { fields: &elsewhere, ..ALICE }.refuses("MOVE", "/files/a", 400, "destination_host");
}

#[test]
fn every_demand_is_told_even_behind_one_that_is_not_met() {
    let bob = Ask { user: Some("bob"), ..ALICE };

    let report = bob.refuses("GET", "/files/a", 403, "missing_permission");

    let unmet: Vec<_> = report.demands.iter().filter(|demand| !demand.is_met).collect();
    assert_eq!(unmet.len(), 2, "{report}");
    assert!(unmet[0].what.starts_with("permission"), "{report}");
    assert!(unmet[1].what.starts_with("home"), "{report}");
}

#[test]
fn nobody_passes_only_where_that_is_spelled_out() {
    let nobody = Ask { user: None, ..ALICE };

    nobody.forwards("GET", "/page", "/page");
    nobody.refuses("GET", "/files/a", 401, "credential_missing");
}

#[test]
fn a_user_who_could_not_log_in_is_refused() {
    Ask { user: Some("carol"), ..ALICE }.refuses("GET", "/files/a", 401, "password");
    Ask { user: Some("dave"), ..ALICE }.refuses("GET", "/files/a", 401, "password");
}

#[test]
fn routes_that_were_passed_over_are_told_with_the_reason() {
    let because = |ask: Ask<'_>, method, target| -> Vec<_> {
        let passed_over = ask.judge(method, target).passed_over;
        passed_over.into_iter().map(|route| (route.name, route.because)).collect()
    };
    let owned = |name: &str, because: &str| (name.to_owned(), because.to_owned());

    let shorter = because(ALICE, "PUT", "/files/drop/x");
    assert_eq!(
        shorter,
        [owned("files", "its path is shorter"), owned("host", "it is for other hosts")]
    );
    let inner = because(Ask { listener: 1, ..ALICE }, "GET", "/files/drop/x");
    assert_eq!(
        inner,
        [owned("drop", "it is not on this listener"), owned("host", "it is for other hosts")]
    );
    let hosts = because(Ask { host: Some("files.test"), ..ALICE }, "GET", "/files/a");
    assert_eq!(hosts, [owned("files", "its hosts are less specific")]);
}

#[test]
fn a_route_for_other_methods_is_named() {
    let report = ALICE.refuses("DELETE", "/files/a", 405, "method");

    assert_eq!(report.route.unwrap().name, "files");
    ALICE.refuses("GET", "/elsewhere", 404, "no_route");
}

#[test]
fn each_demand_is_told_with_its_place_and_the_role_that_meets_it() {
    let to = [("destination", "/files/%62")];
    let report = Ask { fields: &to, ..ALICE }.judge("MOVE", "/files/a");

    let places: Vec<_> = report
        .demands
        .iter()
        .map(|demand| demand.place.rsplit_once("doorward.toml:").map(|(_, place)| place))
        .collect();
    // The route, for what it does not say; its methods, permissions and home.
    assert_eq!(places, [Some("13:9"), Some("15:11"), Some("18:23"), Some("17:1")], "{report}");
    let text = report.to_string();
    assert!(text.contains("by the role reader at "), "{text}");
    assert!(text.contains("doorward.toml:11:"), "{text}");
    assert!(text.contains("of the directory users, "), "{text}");
    assert!(text.contains("users.yaml:2; home /alice"), "{text}");
    assert!(text.contains("Destination: /files/b, from /files/%62"), "{text}");
    assert!(text.contains("in path, header:destination"), "{text}");
}

#[test]
fn what_has_two_readings_is_told_with_both() {
    let report = ALICE.refuses("GET", "/files/a%2fb", 400, "encoded_slash");

    let text = report.to_string();
    let readings = "the path has two readings: a slash within one name; or a separator";
    assert!(text.contains(readings), "{text}");
    let to = [("destination", "/files/a\\b")];
    let moved = Ask { fields: &to, ..ALICE }.refuses("MOVE", "/files/a", 400, "backslash");
    assert_eq!(moved.ambiguity.unwrap().part, "destination");
}

#[test]
fn what_if_names_is_shown_as_it_would_be_sent() {
    let fields = [("if", "</files/%61>(<urn:1>[\"e\"])")];
    let ask = Ask { fields: &fields, ..ALICE };

    let forwarded = ask.judge("GET", "/files/a").forwarded.unwrap();

    assert_eq!(forwarded.condition.as_deref(), Some("</files/alice/a> (<urn:1> [\"e\"])"));
    Ask { fields: &[("if", "</files/a>")], ..ALICE }.refuses(
        "GET",
        "/files/a",
        400,
        "condition_form",
    );
    let elsewhere = [("if", "<http://elsewhere/files/a> (<urn:1>)")];
    Ask { fields: &elsewhere, ..ALICE }.refuses("GET", "/files/a", 400, "destination_host");
}

#[test]
fn a_body_is_read_where_the_route_looks_into_it() {
    let json = [("content-type", "application/json")];
    let ask = |body| Ask { fields: &json, body: Some(body), ..ALICE };

    let forwarded = ask("{ \"files\": [\"a\"] }").judge("POST", "/search").forwarded.unwrap();

    assert_eq!(forwarded.body.as_deref(), Some("{\"files\":[\"/alice/a\"]}"));
    ask("{\"files\": \"../bob/a\"}").refuses("POST", "/search", 400, "dot_segment");
    ask("{\"files\": 1}").refuses("POST", "/search", 400, "field_type");
    ask("{\"files\": [").refuses("POST", "/search", 400, "content_form");
    ask("{}").refuses("POST", "/search", 403, "home_names_nothing");
    Ask { body: Some("{}"), ..ALICE }.refuses("POST", "/search", 415, "content_type");
    let homeless = Ask { user: Some("bob"), body: Some("{}"), ..ALICE };
    homeless.refuses("POST", "/search", 403, "no_home");
    let large = " ".repeat(64 * 1024) + "{}";
    ask(&large).refuses("POST", "/search", 413, "body_too_large");
}
