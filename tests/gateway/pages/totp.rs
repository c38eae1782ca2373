//! The second factor in the browser.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;

use super::gateway;
use super::visitor::{Visitor, hidden, inner};
use crate::support::upstream::TestUpstream;

const PASSWORD: &str = "wonderland-of-alice";

/// The number of the present step of 30 seconds.
pub(crate) fn step() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "an authenticator app has a clock of its own")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap().as_secs() / 30
}

/// What an authenticator app shows at a step (RFC 6238).
pub(crate) fn code(secret: &str, step: u64) -> String {
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// The secret, the step that was used, and the recovery codes.
fn enrol(visitor: &Visitor<'_>) -> (String, u64, Vec<String>) {
    let page = visitor.act("/me/totp", &[("password", PASSWORD)]);
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("<svg"), "there is a QR code");
    let secret = inner(&page, "secret");
    let step = step();
    let page = visitor.act("/me/totp/confirm", &[("code", &code(&secret, step))]);
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    let list = text.split("<ul class=\"codes code\">").nth(1).unwrap();
    let codes = list.split("</ul>").next().unwrap().split("<li>").skip(1);
    let codes = codes.map(|item| item.split('<').next().unwrap().to_owned()).collect();
    (secret, step, codes)
}

/// Answers the page that asks for a code.
fn answer(visitor: &Visitor<'_>, asked: &str, code: &str) -> crate::support::client::Response {
    let token = hidden(&visitor.get("/login"), "form_token").unwrap();
    visitor.post("/login", &[("challenge", asked), ("code", code), ("form_token", &token)])
}

#[test]
fn who_has_a_second_factor_is_asked_for_it() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let (secret, used, codes) = enrol(&alice);
    assert!(codes.len() >= 8, "{codes:?}");
    assert!(alice.get("/me").text().contains("On: you are asked"));

    let visitor = Visitor::of(&gateway);
    let asked = visitor.log_in("alice", PASSWORD);
    assert_eq!(asked.status, 200, "{}", asked.text());
    assert!(visitor.cookie("doorward").is_none());
    let challenge = hidden(&asked, "challenge").unwrap();

    for wrong in ["", "abc", &code(&secret, used), &code(&secret, used + 500)] {
        let refused = answer(&visitor, &challenge, wrong);
        assert_eq!(refused.status, 401, "{wrong}");
        assert!(refused.text().contains("The code is wrong"), "{}", refused.text());
    }
    let done = answer(&visitor, &challenge, &code(&secret, used + 1));
    assert_eq!((done.status, done.header("location")), (303, Some("/me")), "{}", done.text());
    assert!(visitor.get("/me").text().contains("by password and second factor"));
    let again = answer(&Visitor::of(&gateway), &challenge, &code(&secret, used + 1));
    assert_eq!(again.status, 401, "a challenge is answered once");
}

#[test]
fn a_recovery_code_works_once_and_the_factor_can_be_turned_off() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let (_, _, codes) = enrol(&alice);
    let log_in = |code: &str| {
        let visitor = Visitor::of(&gateway);
        let challenge = hidden(&visitor.log_in("alice", PASSWORD), "challenge").unwrap();
        answer(&visitor, &challenge, code).status
    };

    assert_eq!(log_in(&codes[0]), 303);
    assert_eq!(log_in(&codes[0]), 401);
    let disable = |password: &str, code: &str| {
        alice.act("/me/totp/disable", &[("password", password), ("code", code)])
    };
    assert_eq!(disable("wrong", &codes[1]).status, 403);
    assert_eq!(disable(PASSWORD, "000000").status, 403);
    let off = disable(PASSWORD, &codes[1]);
    assert_eq!((off.status, off.header("location")), (303, Some("/me?done=factor")));
    assert_eq!(Visitor::of(&gateway).log_in("alice", PASSWORD).status, 303);
}

#[test]
fn an_enrolment_asks_for_the_password_and_a_code_of_the_new_secret() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);

    assert_eq!(alice.act("/me/totp", &[("password", "wrong")]).status, 403);
    assert_eq!(alice.act("/me/totp/confirm", &[("code", "123456")]).status, 409);
    let secret = inner(&alice.act("/me/totp", &[("password", PASSWORD)]), "secret");
    let wrong = alice.act("/me/totp/confirm", &[("code", &code(&secret, 1))]);
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    assert!(!wrong.text().contains(&secret), "it was shown once");
    assert_eq!(Visitor::of(&gateway).log_in("alice", PASSWORD).status, 303, "not yet on");
    let right = alice.act("/me/totp/confirm", &[("code", &code(&secret, step()))]);
    assert_eq!(right.status, 200, "{}", right.text());
}

#[test]
fn without_a_secret_of_the_store_there_is_no_second_factor() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).section("store", "sqlite = \"doorward.db\"").start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);

    let answer = alice.act("/me/totp", &[("password", PASSWORD)]);
    assert_eq!(answer.status, 409, "{}", answer.text());
}
