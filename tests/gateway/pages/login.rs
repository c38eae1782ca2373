//! Logging in: what the form gives, what it refuses, and where it leads.

use super::gateway;
use super::visitor::{Visitor, form, hidden};
use crate::support::client::Response;
use crate::support::upstream::TestUpstream;

const PASSWORD: &str = "wonderland-of-alice";

/// What every page says to the browser about itself.
#[track_caller]
fn assert_kept_to_itself(page: &Response) {
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(page.header("referrer-policy"), Some("same-origin"));
    let policy = page.header("content-security-policy").unwrap();
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    let text = page.text();
    assert!(text.contains(&format!("<style nonce=\"{nonce}\">")), "{text}");
    for foreign in ["http://", "https://", "<script", "javascript:", " style=", " onclick"] {
        let found = text.replace("http://www.w3.org/2000/svg", "").contains(foreign);
        assert!(!found, "{foreign} in {text}");
    }
}

#[test]
fn a_right_password_opens_a_session() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);

    let page = alice.get("/login");
    assert_eq!(page.status, 200);
    assert_kept_to_itself(&page);
    let answer = alice.log_in("alice", PASSWORD);

    assert_eq!((answer.status, answer.header("location")), (303, Some("/me")));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let cookie = answer.all("set-cookie").into_iter().find(|c| c.starts_with("doorward=")).unwrap();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=1800"), "{cookie}");
    assert!(alice.cookie("doorward-form").is_none());
    let account = alice.get("/me");
    assert_eq!(account.status, 200);
    assert_kept_to_itself(&account);
    for part in ["alice@example.org", "editor", "staff, ops", "/alice", "by password"] {
        assert!(account.text().contains(part), "{part}");
    }
    assert_eq!(alice.get("/login").status, 200);
    assert!(alice.get("/login").text().contains("You are logged in"));
    upstream.assert_untouched();
}

#[test]
fn over_tls_the_cookie_is_for_this_host_alone() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let host = format!("files.test:{}", gateway.address("tls").port());
    let origin = format!("https://{host}");
    let page = gateway.get("/login").host(&host).send_over(&mut gateway.connect_tls());
    let binding = page.header("set-cookie").unwrap().split(';').next().unwrap();
    assert!(binding.starts_with("__Host-doorward-form="), "{binding}");

    let token = hidden(&page, "form_token").unwrap();
    let fields = form(&[("username", "alice"), ("password", PASSWORD), ("form_token", &token)]);
    let answer = gateway
        .ask("POST", "/login")
        .host(&host)
        .header("Origin", &origin)
        .header("Cookie", binding)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(fields)
        .send_over(&mut gateway.connect_tls());

    assert_eq!(answer.status, 303, "{}", answer.text());
    let cookies = answer.all("set-cookie");
    let session = cookies.iter().find(|c| c.starts_with("__Host-doorward=")).unwrap();
    for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(session.contains(attribute), "{session}");
    }
    assert!(!session.contains("Domain"), "{session}");
}

#[test]
fn every_refusal_of_a_login_reads_the_same() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let text = |user: &str, password: &str| {
        let answer = Visitor::of(&gateway).log_in(user, password);
        assert_eq!(answer.status, 401, "{user}");
        assert!(answer.all("set-cookie").iter().all(|c| c.starts_with("doorward-form=")));
        let text = answer.text();
        let alert = text.split("role=\"alert\">").nth(1).unwrap();
        alert.split('<').next().unwrap().to_owned()
    };
    let refusal = text("alice", "wrong");

    assert_eq!(refusal, "The user name or the password is wrong.");
    for (user, password) in [
        ("nobody", "wrong"),
        ("carol", "carol-of-the-bells"),
        ("", "x"),
        ("alice", ""),
        ("alice\0", PASSWORD),
        ("alice", "wonderland-of-alice\0"),
        ("ALICE", PASSWORD),
    ] {
        assert_eq!(text(user, password), refusal, "{user:?}");
    }
    let long = "x".repeat(5000);
    assert_eq!(text("bob", &long), refusal);
}

#[test]
fn what_a_visitor_types_is_shown_as_text() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let hostile = "\"><script>alert(1)</script>";

    let answer = Visitor::of(&gateway).log_in(hostile, "x");
    assert!(!answer.text().contains("<script"), "{}", answer.text());
    let page = Visitor::of(&gateway).get("/login?redirect=%22%3E%3Cscript%3E");
    assert!(!page.text().contains("<script"), "{}", page.text());
}

#[test]
fn too_many_attempts_have_to_wait() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream)
        .section("throttle", "failures = 2\ndelay = \"1m\"\nmax_delay = \"5m\"")
        .start();
    let mallory = Visitor::of(&gateway);
    let statuses = (0..4).map(|_| mallory.log_in("bob", "wrong").status).collect::<Vec<_>>();
    assert!(statuses.ends_with(&[429]), "{statuses:?}");

    let answer = mallory.log_in("bob", "bob-the-builder");

    assert_eq!(answer.status, 429);
    let seconds = answer.header("retry-after").unwrap().parse::<u64>().unwrap();
    assert!((1..=300).contains(&seconds), "{seconds}");
    assert!(answer.text().contains("too many attempts"), "{}", answer.text());
    assert_eq!(mallory.log_in("alice", PASSWORD).status, 303, "others log in");
}

#[test]
fn a_login_leads_to_a_place_on_the_same_host_or_to_the_account() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let corpus = include_str!("../../corpora/open-redirects/redirects.txt");
    let page = |redirect: &str| {
        let visitor = Visitor::of(&gateway);
        let token = hidden(&visitor.get("/login"), "form_token").unwrap();
        let fields = [
            ("username", "alice"),
            ("password", PASSWORD),
            ("redirect", redirect),
            ("form_token", &token),
        ];
        let answer = visitor.post("/login", &fields);
        assert_eq!(answer.status, 303, "{redirect}");
        answer.header("location").unwrap().to_owned()
    };

    for (asked, place) in
        [("/files/x?a=b%2Fc", "/files/x?a=b%2Fc"), ("/files/%7ex", "/files/~x"), ("", "/me")]
    {
        assert_eq!(page(asked), place);
    }
    let own = ["//evil.test", "/\\evil.test", "/%09/evil.test", "https://evil.test", "/a\r\nX: y"];
    for asked in own.into_iter().chain(corpus.lines().step_by(12)) {
        let place = page(asked);
        assert!(place.starts_with('/'), "{asked}: {place}");
        assert!(!place.starts_with("//") && !place.contains(['\\', '\r', '\n']), "{asked}");
        assert!(place == "/me" || !place[1..].starts_with('%'), "{asked}: {place}");
    }
    upstream.assert_untouched();
}

#[test]
fn a_form_that_is_none_is_refused_and_nothing_breaks() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let visitor = Visitor::of(&gateway);
    let token = hidden(&visitor.get("/login"), "form_token").unwrap();
    let send = |content: &str, body: &str| {
        visitor.send("POST", "/login", Some(body), &[("Content-Type", content)]).status
    };
    let form = "application/x-www-form-urlencoded";

    assert_eq!(send("application/json", "{\"username\":\"alice\"}"), 415);
    assert_eq!(send("text/plain", "username=alice"), 415);
    assert_eq!(send(form, &format!("form_token={token}")), 400);
    assert_eq!(send(form, &format!("form_token={token}&username=alice")), 400);
    let twice = format!("form_token={token}&username=alice&username=bob&password=x");
    assert_eq!(send(form, &twice), 400);
    assert_eq!(send(form, "%"), 403);
    assert_eq!(send(form, "\u{fffd}%ff%fe=%00"), 403);
    assert_eq!(visitor.get("/login?redirect=/a&next=/b&done=%ff").status, 200);
    assert_eq!(visitor.send("PUT", "/login", None, &[]).status, 405);
    let wrong = visitor.send("DELETE", "/me", None, &[]);
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET,HEAD")));
}
