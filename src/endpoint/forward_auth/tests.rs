use super::*;
use crate::home::{Content, Named, unconfined};
use crate::resource::{CanonicalHost, CanonicalPath, CanonicalQuery, Condition, Destination};
use crate::route::IdentityFields;

fn question(method: &str, target: &str, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

const NGINX: [(&str, &str); 4] = [
    ("host", "gateway.test"),
    ("x-original-method", "PUT"),
    ("x-original-uri", "/files/a%20b?dir=/x"),
    ("x-original-host", "files.test:8443"),
];

fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    NGINX.into_iter().filter(|(known, _)| *known != name).collect()
}

#[test]
fn each_path_is_one_proxys_and_no_other_path_is_anybodys() {
    for (path, proxy) in [
        ("/auth/nginx", Some(Proxy::Nginx)),
        ("/auth/traefik", Some(Proxy::Traefik)),
        ("/auth/caddy", Some(Proxy::Caddy)),
        ("/auth/envoy/", Some(Proxy::Envoy)),
        ("/auth/envoy/a", Some(Proxy::Envoy)),
        ("/auth/envoy", None),
        ("/auth/envoyx", None),
        ("/auth/nginx/", None),
        ("/auth", None),
    ] {
        assert_eq!(Proxy::of(path), proxy, "{path}");
    }
}

#[test]
fn the_request_is_what_the_proxy_says_it_is() {
    let mut fields = NGINX.to_vec();
    fields.extend([("authorization", "Bearer t"), ("x-forwarded-proto", "https")]);
    let original = Proxy::Nginx.original(&question("GET", "/auth/nginx", &fields), "").unwrap();

    assert_eq!(original.parts.method, "PUT");
    assert_eq!(original.parts.uri, "/files/a%20b?dir=/x");
    assert_eq!(original.parts.headers["host"], "files.test:8443");
    assert_eq!(original.parts.headers["authorization"], "Bearer t");
    assert_eq!(original.parts.headers.len(), 2);
    assert!(original.is_secure);
}

#[test]
fn envoys_question_is_the_request_itself_below_the_path() {
    let asked = question("DELETE", "/gw/auth/envoy/files/x?y=1", &[("host", "files.test")]);

    let original = Proxy::Envoy.original(&asked, "/gw").unwrap().parts;

    assert_eq!(
        (original.method.as_str(), original.uri.to_string()),
        ("DELETE", "/files/x?y=1".into())
    );
    assert_eq!(original.headers["host"], "files.test");
    assert_eq!(Proxy::Envoy.original(&asked, "/other").unwrap_err(), AskError::Unclear);
}

#[test]
fn a_question_that_lacks_a_word_or_says_one_twice_is_refused() {
    for (name, _) in &NGINX[1..] {
        let asked = question("GET", "/auth/nginx", &without(name));
        assert_eq!(Proxy::Nginx.original(&asked, "").unwrap_err(), AskError::Unclear, "{name}");
        let mut twice = NGINX.to_vec();
        twice.push((name, "/files/bob"));
        let asked = question("GET", "/auth/nginx", &twice);
        assert_eq!(Proxy::Nginx.original(&asked, "").unwrap_err(), AskError::Unclear, "{name}");
    }
    let asked = question("GET", "/auth/traefik", &NGINX);
    assert_eq!(Proxy::Traefik.original(&asked, "").unwrap_err(), AskError::Unclear);
}

#[test]
fn a_target_that_is_no_path_or_holds_a_fragment_is_refused() {
    for target in ["", "*", "files", "http://files.test/x", "/a#b", "/a?b#c", "/a b", "/a?b=\u{e9}"]
    {
        let mut fields = without("x-original-uri");
        fields.push(("x-original-uri", target));
        let asked = question("GET", "/auth/nginx", &fields);
        assert_eq!(Proxy::Nginx.original(&asked, "").unwrap_err(), AskError::Unclear, "{target:?}");
    }
}

#[test]
fn a_method_that_is_none_and_a_scheme_that_is_unknown_are_refused() {
    for (name, value) in [
        ("x-original-method", ""),
        ("x-original-method", "GET POST"),
        ("x-forwarded-proto", "ftp"),
        ("x-forwarded-proto", "https, http"),
    ] {
        let mut fields = without(name);
        fields.push((name, value));
        let asked = question("GET", "/auth/nginx", &fields);
        assert_eq!(Proxy::Nginx.original(&asked, "").unwrap_err(), AskError::Unclear, "{value}");
    }
}

#[test]
fn a_copy_whose_end_is_not_told_is_refused() {
    for method in ["COPY", "MOVE"] {
        let asked = question(method, "/auth/envoy/a", &[("host", "files.test")]);
        assert_eq!(Proxy::Envoy.original(&asked, "").unwrap_err(), AskError::Unclear);
        let fields = [("host", "files.test"), ("destination", "/b")];
        assert!(Proxy::Envoy.original(&question(method, "/auth/envoy/a", &fields), "").is_ok());
    }
}

#[test]
fn only_what_is_passed_on_as_it_came_was_decided_on() {
    let judge = |target: &'static str, destination, condition: Option<&'static str>| {
        let fields: Vec<(&'static str, &'static str)> =
            [("destination", destination), ("if", condition)]
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect();
        let parts = question("MOVE", target, &fields);
        let host = CanonicalHost::parse("files.test").unwrap();
        let destination = destination.map(|to| Destination::parse(to, &host, false).unwrap());
        let condition = condition.map(|it| Condition::parse(it, &host, false).unwrap());
        let path = CanonicalPath::parse(parts.uri.path()).unwrap();
        let query = CanonicalQuery::parse(parts.uri.query()).unwrap();
        let named = Named {
            path: &path,
            query: &query,
            destination: destination.as_ref(),
            condition: condition.as_ref(),
            content: Content::Unread,
        };
        check_target(&parts, &unconfined(&named))
    };
    let check = |target, destination| judge(target, destination, None);
    for (condition, expected) in [
        ("(<urn:1> [\"a\"])", Ok(())),
        ("</b>(<urn:1>)  <http://files.test/c(1)> (Not <urn:2>) ([\"e\"])", Ok(())),
        ("</%62> (<urn:1>)", Err(AskError::Uncanonical)),
        ("</b> (<urn:1>) <http://files.test/%63> (<urn:2>)", Err(AskError::Uncanonical)),
    ] {
        assert_eq!(judge("/a", None, Some(condition)), expected, "{condition}");
    }
    for target in ["/a", "/a%20b?x=%26", "/"] {
        assert_eq!(check(target, None), Ok(()));
        assert_eq!(check(target, Some("/b")), Ok(()));
        assert_eq!(check(target, Some("http://files.test/b")), Ok(()));
        assert_eq!(check(target, Some("/%62")), Err(AskError::Uncanonical));
    }
    for target in ["/%41", "/a?x=%7e", "/caf%c3%a9"] {
        assert_eq!(check(target, None), Err(AskError::Uncanonical), "{target}");
    }
}

#[test]
fn nginx_is_told_in_the_two_words_it_knows() {
    for (refusal, told) in
        [(400, 403), (401, 401), (403, 403), (404, 403), (405, 403), (303, 401), (503, 503)]
    {
        let refusal = StatusCode::from_u16(refusal).unwrap();
        assert_eq!(Proxy::Nginx.status(refusal).as_u16(), told);
        assert_eq!(Proxy::Caddy.status(refusal), refusal);
    }
}

#[test]
fn only_proxies_that_are_trusted_may_ask() {
    let local = "127.0.0.1".parse().unwrap();
    let mapped = "::ffff:127.0.0.1".parse().unwrap();
    let elsewhere = "192.0.2.7".parse().unwrap();
    let trusted = ["127.0.0.0/8".parse().unwrap()];
    assert!(may_ask(&trusted, local) && may_ask(&trusted, mapped));
    assert!(!may_ask(&trusted, elsewhere) && !may_ask(&[], local));
}

#[test]
fn what_is_not_known_is_told_empty() {
    let told = told(IdentityFields::Remote, b"remote-user: alice\r\nremote-home: /\r\n");

    assert_eq!(told.len(), 5);
    assert_eq!(
        (&told["remote-user"], &told["remote-home"]),
        (&"alice".parse().unwrap(), &"/".parse().unwrap())
    );
    assert_eq!(told["remote-groups"], "");
}

#[test]
fn a_field_that_only_a_gateway_may_write_is_refused_unless_it_is_overwritten() {
    let told = told(IdentityFields::Remote, b"remote-user: alice\r\n");
    for (name, is_refused) in [
        ("remote-user", false),
        ("remote_user", true),
        ("remote-groups", true),
        ("x-forwarded-user", true),
        ("x_auth_request_email", true),
        ("x-http-method-override", true),
        ("x-original-url", true),
        ("accept", false),
        ("x-forwarded-for", false),
    ] {
        let parts = question("GET", "/", &[(name, "mallory")]);
        assert_eq!(forged(&parts.headers, &told).is_err(), is_refused, "{name}");
    }
}
