//! WebDAV's `If`: what its tags name lies in the home, and is sent as it was decided on.

use super::routes;
use crate::support::upstream::TestUpstream;

const REQUIRED: &str = "path = \"/files\"\nhome = { in = [\"path\", \"header:if\"] }";
const REWRITTEN: &str =
    "path = \"/files\"\nhome = { in = [\"path\", \"header:if\"], mode = \"rewrite\" }";

#[test]
fn a_tag_must_lie_in_the_home() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", REQUIRED)]).start();
    let ask = |condition: &str| {
        let ask = gateway.ask("PUT", "/files/alice/x").bearer("alice").body("x");
        ask.header("If", condition)
    };

    for (condition, status) in [
        ("</files/bob/x> (<urn:1>)", 403),
        ("</files/alice/x> (<urn:1>) </files/bob/x> (<urn:2>)", 403),
        ("<http://files.test/files/bob/x> (<urn:1>)", 403),
        ("<http://files.test.evil/files/alice/x> (<urn:1>)", 400),
        ("</files/alice/../bob/x> (<urn:1>)", 400),
        ("</files/alice/%2e%2e/bob/x> (<urn:1>)", 400),
        ("<//files.test/files/alice/x> (<urn:1>)", 400),
        ("</files/alice/x>", 400),
        ("(<urn:1>) </files/alice/x> (<urn:2>)", 400),
        ("([\"a)(<urn:1>\"])", 400),
        ("\"etag\"", 400),
        ("", 400),
    ] {
        assert_eq!(ask(condition).send().status(), status, "{condition}");
        assert_eq!(ask(condition).send_h2().status(), status, "{condition}");
    }
    let twice = ask("(<urn:1>)").header("if", "(<urn:2>)").send();
    assert_eq!(twice.status(), 400);
    upstream.assert_untouched();
}

#[test]
fn tags_are_sent_in_canonical_form_and_states_as_they_came() {
    let upstream = TestUpstream::start();
    let gateway = routes(
        &upstream,
        &[("routes.files", REQUIRED), ("routes.dav", &REWRITTEN.replace("/files", "/dav"))],
    )
    .start();
    let put = |target: &str, condition: &str| {
        let ask = gateway.ask("PUT", target).bearer("alice").body("x").header("If", condition);
        assert_eq!(ask.send().status(), 200, "{condition}");
    };

    put("/files/alice/x", "(<urn:1>  [W/\"e\"])(not<DAV:no-lock>)");
    put("/files/alice/x", "</files/%61lice/a b>(<urn:1>)");
    put("/dav/x", "<http://files.test/dav/x> (<urn:1>) (Not [\"e\"]) </dav/> (<urn:2>)");

    let sent: Vec<_> = upstream
        .requests()
        .iter()
        .map(|request| request.header("if").unwrap().replace(&upstream.address().to_string(), "h"))
        .collect();
    assert_eq!(
        sent,
        [
            "(<urn:1> [W/\"e\"]) (Not <DAV:no-lock>)",
            "<http://files.test/files/alice/a%20b> (<urn:1>)",
            "<http://files.test/dav/alice/x> (<urn:1>) (Not [\"e\"]) \
             <http://files.test/dav/alice/> (<urn:2>)",
        ]
    );
}

#[test]
fn a_tag_in_which_the_route_does_not_look_is_refused() {
    let upstream = TestUpstream::start();
    let blind = "path = \"/files\"\nhome = { in = [\"path\"] }";
    let gateway = routes(&upstream, &[("routes.files", blind)]).start();
    let ask = |condition| gateway.get("/files/alice/x").bearer("alice").header("If", condition);

    assert_eq!(ask("</files/alice/x> (<urn:1>)").send().status(), 403);
    upstream.assert_untouched();
    assert_eq!(ask("(<urn:1>)").send().status(), 200);
}

/// The payloads of `tests/corpora/paths` as a tag.
#[test]
fn no_payload_of_the_corpus_leads_out_of_a_home_by_a_tag() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", REQUIRED)]).start();
    let mut client = gateway.connect();

    for payload in super::corpus() {
        let condition = format!("</files/alice/{payload}> (<urn:1>)");
        let ask = gateway.get("/files/alice/x").bearer("alice").header("If", &condition);
        let _ = client.try_send(ask.bytes());
        match client.response_to("GET") {
            Ok(response) if response.header("connection") != Some("close") => {
                assert!(response.status() < 500, "{payload}: {response:?}");
            }
            _ => client = gateway.connect(),
        }
    }

    for request in upstream.requests() {
        let condition = request.header("if").unwrap();
        let tag = condition.strip_prefix("<http://files.test").unwrap();
        let (tag, _) = tag.split_once('>').unwrap();
        super::assert_inside(tag, "/files/alice/");
    }
}
