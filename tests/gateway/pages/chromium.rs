//! The pages in a real browser, without scripts of their own, in light and dark, wide and narrow.

use super::browser::Browser;
use super::gateway;
use super::totp::{code, step};
use crate::support::upstream::TestUpstream;

const PASSWORD: &str = "wonderland-of-alice";

/// Logs in by the form that is shown.
fn log_in(browser: &Browser, password: &str) {
    browser.fill("#username", "alice").fill("#password", password).follow("main button");
}

#[test]
fn somebody_logs_in_enrols_a_second_factor_and_issues_a_token_and_a_key() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream)
        .section("routes.pages", "path = \"/pages\"\nupstream = \"files\"\nlogin = \"page\"")
        .start();
    let Some(browser) = Browser::start(&gateway) else { return };

    browser.open("/me");
    assert_eq!(browser.place(), "/login?redirect=%2Fme");
    browser.look("login");
    log_in(&browser, "wrong");
    assert_eq!(browser.text("[role=alert]"), "The user name or the password is wrong.");
    browser.look("login-refused");
    browser.fill("#password", PASSWORD).follow("main button");
    assert_eq!(browser.place(), "/me");
    assert!(browser.text("main").contains("alice@example.org"));

    browser.follow("#tokens ~ form button");
    let token = browser.text("#secret");
    assert_eq!(gateway.get("/x").token(&token).send().status, 200);
    browser.look("token");

    browser.open("/me");
    browser.click("#keys ~ details summary").fill("#label", "backup of the laptop");
    browser.fill("#permissions", "files:read").fill("#path", "/files/photos");
    browser.click("input[value=GET]").follow("#keys ~ details button");
    assert!(browser.text("#secret").starts_with("dw_"));
    browser.look("key");

    browser.open("/me");
    browser.click("#totp ~ details summary").fill("#enrol-password", PASSWORD);
    browser.follow("#totp ~ details button");
    let (secret, now) = (browser.text("#secret"), step());
    browser.look("enrol");
    browser.fill("#code", &code(&secret, now)).follow("main button");
    assert!(browser.text("h1").contains("is on"), "{}", browser.text("main"));
    browser.look("recovery");
    browser.open("/me");
    browser.look("account");
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)");
    browser.look("account-open");

    browser.open("/pages/x");
    assert_eq!(browser.text("body"), "hello", "the session is worth something on a route");
    browser.open("/me");
    browser.follow("header button");
    assert_eq!(browser.place(), "/login?done=logout");
    browser.look("logged-out");
    browser.open("/pages/x?a=b");
    assert_eq!(browser.place(), "/login?next=/pages/x%3Fa%3Db");
    log_in(&browser, PASSWORD);
    assert_eq!(browser.text("h1"), "Enter your code");
    browser.look("code");
    browser.fill("#code", &code(&secret, now + 1)).follow("main button");
    assert_eq!(browser.place(), "/pages/x?a=b");
    browser.open("/me");
    assert!(browser.text("main").contains("by password and second factor"));
}

#[test]
fn every_page_can_be_used_by_keyboard_and_told_by_a_screen_reader() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let Some(browser) = Browser::start(&gateway) else { return };
    let check = || {
        for (what, expression) in [
            ("every field has a label", UNLABELLED),
            (
                "there is one main and one h1",
                "document.querySelectorAll('main').length * 10 + document.querySelectorAll('h1').length - 11",
            ),
            (
                "no id comes twice",
                "(i => i.length - new Set(i).size)([...document.querySelectorAll('[id]')].map(e => e.id))",
            ),
            ("text stands out from its ground", CONTRAST),
        ] {
            assert_eq!(browser.evaluate(expression), 0, "{what}: {}", browser.place());
        }
        assert_eq!(browser.evaluate("document.documentElement.lang"), "en");
        assert_eq!(browser.evaluate("document.title !== ''"), true);
    };
    let check_both = || {
        for scheme in ["light", "dark"] {
            browser.wear(scheme, 1024, 768);
            check();
        }
    };

    browser.open("/login");
    check_both();
    assert_eq!(browser.evaluate("document.activeElement.id"), "username");
    log_in(&browser, "wrong");
    check_both();
    browser.fill("#password", PASSWORD).follow("main button");
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)");
    check_both();
}

/// Fields that are to be seen and have no label.
const UNLABELLED: &str = "[...document.querySelectorAll('input:not([type=hidden]),select,textarea')]\
    .filter(e => e.labels.length === 0).length";

/// Texts whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3).
const CONTRAST: &str = "(() => { \
    const parse = c => c.match(/[\\d.]+/g).map(Number); \
    const light = c => { const [r, g, b] = parse(c).slice(0, 3).map(v => { v /= 255; \
        return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); \
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; }; \
    const ground = e => { for (; e; e = e.parentElement) { \
        const c = getComputedStyle(e).backgroundColor; \
        if ((parse(c)[3] ?? 1) > 0) return c; } return 'rgb(255, 255, 255)'; }; \
    return [...document.querySelectorAll('body *')].filter(e => \
        [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.checkVisibility()) \
    .filter(e => { const [a, b] = [light(getComputedStyle(e).color), light(ground(e))]; \
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5; }).length; })()";
