//! Attacks by the path.

use super::Collector;
use super::spelling::{self, DOTS, PARAMETERS, SLASHES};
use crate::probe::site::Site;

/// The pieces that paths are put together from.
struct Pieces {
    /// The attacker's folder, with a slash at the end, and without.
    own: String,
    own_bare: String,
    /// The root of homes.
    root: String,
    /// The attacked file below it, without a slash in front, and from the very root.
    below: String,
    other: String,
    /// The attacked home, without a slash in front.
    home: String,
    file: String,
}

impl Pieces {
    fn of(site: &Site) -> Self {
        let own = site.own_base();
        Self {
            own_bare: own.trim_end_matches('/').to_owned(),
            own,
            root: site.root.clone(),
            below: site.other_below(),
            other: site.other_target(),
            home: site.other.home.trim_start_matches('/').to_owned(),
            file: site.other.file.clone(),
        }
    }
}

pub(super) fn encodings(of: &mut Collector<'_>) {
    let site = of.site;
    let Pieces { own, root, below, home, file, .. } = Pieces::of(site);
    for dots in DOTS.iter().filter(|dots| **dots != "..") {
        let up = site.up(dots, "/");
        of.ask(&format!("`{dots}` as dots"), &format!("{own}{up}{below}"));
        of.ask(&format!("`{dots}` as dots, deeper"), &format!("{own}a/{dots}/{up}{below}"));
    }
    let up = site.up("..", "/");
    for (rule, name) in spelling::encodings(&home) {
        of.ask(&format!("home {rule}"), &format!("{root}/{name}/{file}"));
        of.ask(&format!("home {rule}, behind dots"), &format!("{own}{up}{name}/{file}"));
    }
}

pub(super) fn dot_segments(of: &mut Collector<'_>) {
    let site = of.site;
    let Pieces { own, own_bare, root, below, other, home, file } = Pieces::of(site);
    let up = site.up("..", "/");
    let root_bare = root.trim_start_matches('/');
    for (rule, path) in [
        ("straight up", format!("{own}{up}{below}")),
        ("up from a folder", format!("{own}a/../{up}{below}")),
        ("up from two folders", format!("{own}a/b/../../{up}{below}")),
        ("dot, then up", format!("{own}./{up}{below}")),
        ("up, then dot", format!("{own}{up}./{below}")),
        ("up and back", format!("{own}{up}{home}/../{below}")),
        ("up with an empty segment", format!("{own}/{up}{below}")),
        ("up to the server's root", format!("{own}{up}../{root_bare}/{below}")),
        ("far up", format!("{own}../../../../../../..{other}")),
        ("far up and beyond", format!("{own}{}{other}", "../".repeat(30).trim_end_matches('/'))),
        ("to the root of homes", format!("{own}{up}")),
        ("to the root of homes, no slash", format!("{own_bare}/..")),
        ("trailing dot", format!("{own}{up}{below}/.")),
        ("trailing dots", format!("{own}{up}{below}/x/..")),
        ("dot in front of the root", format!("/.{root}/{below}")),
        ("dot behind the root", format!("{root}/./{below}")),
        ("dots in front of the root", format!("/..{root}/{below}")),
        ("dots twice in front of the root", format!("/../..{root}/{below}")),
        ("out of the root and back", format!("{root}/..{root}/{below}")),
        ("down and up before the home", format!("{root}/x/../{below}")),
        ("down and up within the home", format!("{root}/{home}/x/../{file}")),
        ("dot within the home", format!("{root}/{home}/./{file}")),
        ("another root and up", format!("/x/..{root}/{below}")),
        ("the home itself", format!("{root}/{home}")),
        ("the home itself, with a slash", format!("{root}/{home}/")),
        ("the file", other.clone()),
        ("three dots", format!("{own}.../{below}")),
        ("four dots", format!("{own}..../{below}")),
        ("a pattern that matches dots", format!("{own}.*/{below}")),
    ] {
        of.ask(rule, &path);
        of.ask(&format!("{rule}, with a query"), &format!("{path}?x={own}"));
    }
}

pub(super) fn separators(of: &mut Collector<'_>) {
    let site = of.site;
    let Pieces { own, own_bare, root, below, home, file, .. } = Pieces::of(site);
    for slash in SLASHES {
        let up = site.up("..", slash);
        of.ask(&format!("`{slash}` around dots"), &format!("{own_bare}{slash}{up}{below}"));
        of.ask(&format!("`{slash}` behind dots"), &format!("{own}{up}{below}"));
        of.ask(&format!("`{slash}` in front of the home"), &format!("{root}{slash}{below}"));
        of.ask(&format!("`{slash}` behind the home"), &format!("{root}/{home}{slash}{file}"));
    }
}

pub(super) fn parameters(of: &mut Collector<'_>) {
    let site = of.site;
    let Pieces { own, own_bare, root, below, home, file, .. } = Pieces::of(site);
    let up = site.up("..", "/");
    for parameter in PARAMETERS {
        let up_with = site.up(&format!("..{parameter}"), "/");
        let rule = |place: &str| format!("`{parameter}` {place}");
        of.ask(&rule("on dots"), &format!("{own}{up_with}{below}"));
        of.ask(&rule("on the own home"), &format!("{own_bare}{parameter}/{up}{below}"));
        of.ask(&rule("on the root"), &format!("{root}{parameter}/{below}"));
        of.ask(&rule("on the home"), &format!("{root}/{home}{parameter}/{file}"));
        let encoded = site.up(&format!("%2e%2e{parameter}"), "/");
        of.ask(&rule("on encoded dots"), &format!("{own}{encoded}{below}"));
    }
}

pub(super) fn prefixes(of: &mut Collector<'_>) {
    let site = of.site;
    let Pieces { root, below, home, file, .. } = Pieces::of(site);
    of.ask("the home of the other", &format!("{root}/{below}"));
    let own = site.own.home.trim_start_matches('/');
    for name in spelling::neighbours(own) {
        of.ask("nearly the own home", &format!("{root}/{name}/{file}"));
    }
    for name in spelling::neighbours(&home) {
        of.ask("nearly the home of the other", &format!("{root}/{name}/{file}"));
    }
    of.ask("the root of homes", &format!("{root}/"));
    of.ask("the root of homes, no slash", &root);
    of.ask("the root in other case", &format!("{}/{below}", root.to_uppercase()));
    of.ask("the own home in front", &format!("{}/..{root}/{below}", site.own.home));
}
