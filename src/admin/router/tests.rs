use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use http_body_util::BodyExt;
use prometheus::Registry;

use super::*;
use crate::admin::{Readiness, Status};

const LOCAL: Peer = Peer::Tcp(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

fn state() -> (AdminState, Arc<AtomicU64>) {
    let reloads = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&reloads);
    let state = AdminState {
        registry: Registry::new(),
        readiness: Arc::new(Readiness::new()),
        status: Box::new(Status::default),
        reload: Box::new(move || {
            let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
            Box::pin(ready(match number {
                1 => Ok(2),
                _ => Err("doorward.toml:3:1: routes.a: no such upstream".to_owned()),
            }))
        }),
        decision: Box::new(|id| {
            let known = (id == "abc123").then(|| serde_json::json!({ "verdict": "deny" }));
            Box::pin(ready(known))
        }),
        api: None,
        hosts: vec!["gw.example.org".to_owned()],
    };
    (state, reloads)
}

async fn ask(state: &AdminState, peer: Peer, request: Request<String>) -> (u16, String) {
    let response = answer(state, peer, request).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<String> {
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "127.0.0.1:9180");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(String::new()).unwrap()
}

#[tokio::test]
async fn each_endpoint_answers() {
    let (state, _) = state();

    assert_eq!(ask(&state, LOCAL, request("GET", "/healthz", &[])).await, (200, "ok\n".into()));
    assert_eq!(ask(&state, LOCAL, request("GET", "/metrics", &[])).await.0, 200);
    assert_eq!(ask(&state, LOCAL, request("GET", "/readyz", &[])).await.0, 503);
    state.readiness.listening();
    state.readiness.loaded();
    let ready = ask(&state, LOCAL, request("HEAD", "/readyz", &[])).await;
    assert_eq!(ready, (200, "{\"degraded\":[],\"ready\":true,\"reasons\":[]}\n".into()));
    let (status, body) = ask(&state, LOCAL, request("GET", "/status", &[])).await;
    assert_eq!(status, 200);
    assert_eq!(serde_json::from_str::<Status>(&body).unwrap(), Status::default());
}

#[tokio::test]
async fn decisions_and_who_waits_are_for_operators_alone() {
    let (mut state, _) = state();
    state.status = Box::new(|| {
        let waiting = vec![crate::admin::status::WaitStatus::default()];
        let throttle = crate::admin::status::ThrottleStatus {
            waiting_now: 1,
            waiting,
            ..crate::admin::status::ThrottleStatus::default()
        };
        Status { throttle, ..Status::default() }
    });
    let get = |path| request("GET", path, &[]);

    assert_eq!(ask(&state, LOCAL, get("/decisions/abc123")).await.0, 401);
    let (status, told) = ask(&state, Peer::Unix, get("/decisions/abc123")).await;
    assert_eq!((status, told.as_str()), (200, "{\"verdict\":\"deny\"}\n"));
    assert_eq!(ask(&state, Peer::Unix, get("/decisions/another")).await.0, 404);
    for path in ["/decisions", "/decisions/", "/decisions/a%2e", "/decisions/a/b"] {
        assert_eq!(ask(&state, Peer::Unix, get(path)).await.0, 404, "{path}");
    }
    let (_, all) = ask(&state, Peer::Unix, get("/status")).await;
    let (_, some) = ask(&state, LOCAL, get("/status")).await;
    assert!(all.contains("\"failures\":0") && all.contains("\"waiting_now\":1"), "{all}");
    assert!(!some.contains("\"failures\"") && some.contains("\"waiting_now\":1"), "{some}");
}

#[tokio::test]
async fn a_reload_tells_the_generation_or_the_place() {
    let (state, _) = state();

    let first = ask(&state, LOCAL, request("POST", "/reload", &[])).await;
    let second = ask(&state, Peer::Unix, request("POST", "/reload", &[("host", "x")])).await;

    assert_eq!(first, (200, "{\"generation\":2}\n".into()));
    assert_eq!(second.0, 409);
    assert!(second.1.contains("doorward.toml:3:1"));
}

#[tokio::test]
async fn wrong_paths_and_methods_are_told_apart() {
    let (state, reloads) = state();

    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "/healthz/", 404),
        ("GET", "/metrics/../status", 404),
        ("GET", "/users", 404), // no token service
        ("POST", "/status", 405),
        ("GET", "/reload", 405),
        ("HEAD", "/reload", 405),
        ("PUT", "/reload", 405),
        ("OPTIONS", "/reload", 405),
    ] {
        assert_eq!(ask(&state, LOCAL, request(method, path, &[])).await.0, status, "{path}");
    }
    assert_eq!(reloads.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_web_page_reaches_nothing() {
    let (state, reloads) = state();

    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "http://127.0.0.1:9180")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ] {
        assert_eq!(ask(&state, LOCAL, request("POST", "/reload", headers)).await.0, 403);
        assert_eq!(ask(&state, Peer::Unix, request("GET", "/status", headers)).await.0, 403);
    }
    assert_eq!(reloads.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_name_that_somebody_else_may_point_here_is_refused() {
    let (state, _) = state();

    for (host, status) in [
        ("localhost", 200),
        ("LocalHost:9180", 200),
        ("127.0.0.1:9180", 200),
        ("[::1]:9180", 200),
        ("192.0.2.1", 200),
        ("gw.example.org:9180", 200),
        ("evil.example", 421),
        ("evil.example:9180", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("127.0.0.1@evil.example", 421),
        ("", 421),
        ("[::1", 421),
    ] {
        let seen = ask(&state, LOCAL, request("GET", "/status", &[("host", host)])).await.0;
        assert_eq!(seen, status, "{host}");
    }
    let two = &[("host", "localhost"), ("host", "localhost")];
    assert_eq!(ask(&state, LOCAL, request("GET", "/status", two)).await.0, 421);
    let absolute = request("GET", "http://evil.example/status", &[("host", "localhost")]);
    assert_eq!(ask(&state, LOCAL, absolute).await.0, 421);
}

#[tokio::test]
async fn a_peer_elsewhere_may_look_and_not_touch() {
    let (state, reloads) = state();
    let elsewhere = Peer::Tcp("192.0.2.9".parse().unwrap());

    assert_eq!(ask(&state, elsewhere, request("GET", "/metrics", &[])).await.0, 200);
    assert_eq!(ask(&state, elsewhere, request("POST", "/reload", &[])).await.0, 403);

    assert_eq!(reloads.load(Ordering::Relaxed), 0);
}

#[test]
fn one_token_is_presented_or_none() {
    let presented = |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        presented_token(&headers).map(<[u8]>::to_vec)
    };

    assert_eq!(presented(&["Bearer abc"]).as_deref(), Some(&b"abc"[..]));
    assert_eq!(presented(&["bearer abc"]).as_deref(), Some(&b"abc"[..]));
    for none in [&[][..], &["abc"], &["Basic abc"], &["Bearer"], &["Bearer a", "Bearer a"]] {
        assert_eq!(presented(none), None, "{none:?}");
    }
}

#[tokio::test]
async fn a_body_is_not_taken() {
    let (state, reloads) = state();
    let request = request("POST", "/reload", &[]).map(|_| "x".repeat(5000));

    assert_eq!(ask(&state, LOCAL, request).await.0, 413);
    assert_eq!(reloads.load(Ordering::Relaxed), 0);
}
