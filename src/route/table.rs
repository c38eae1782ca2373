//! Finds the route of a request: the most specific host first, then the longest path prefix by
//! whole segments, then the method.
//!
//! A request has one route or none. The cost grows with the number of the path's segments, not
//! with the number of routes.

use std::collections::HashMap;

use foldhash::quality::RandomState;
use http::Method;

use super::Route;
use crate::resource::{CanonicalHost, CanonicalPath, Dialect, HostPattern};

/// All routes, made once per load.
#[derive(Debug, Default)]
pub struct Table {
    routes: Vec<Route>,
    exact: HashMap<Box<str>, Prefixes, RandomState>,
    /// Wildcards, the longest first.
    wildcards: Vec<(HostPattern, Prefixes)>,
    any: Prefixes,
    /// Routes whose upstream does not tell case apart.
    caseless: Vec<usize>,
}

/// Indices of routes by path prefix.
#[derive(Debug, Default)]
struct Prefixes(HashMap<Box<str>, Vec<usize>, RandomState>);

/// Why there is no route for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute<'t> {
    /// The path is another spelling of this route's, whose upstream does not tell case apart.
    #[error("the path is another spelling of that of route `{0}`")]
    CaseVariant(&'t str),
    /// There is one, for other methods.
    #[error("the route `{0}` does not let the method through")]
    Method(&'t str),
    /// Nothing answers for host and path.
    #[error("no route answers for this host and path")]
    Nothing,
}

impl Table {
    /// Sorts the routes by what they answer for.
    #[must_use]
    pub fn new(routes: Vec<Route>) -> Self {
        let mut table = Self::default();
        for (index, route) in routes.iter().enumerate() {
            if route.hosts.is_empty() {
                table.any.add(route, index);
            }
            for host in &route.hosts {
                match host {
                    HostPattern::Exact(name) => {
                        table.exact.entry(name.clone()).or_default().add(route, index);
                    }
                    HostPattern::Wildcard(_) => {
                        let known = table.wildcards.iter_mut().find(|(known, _)| known == host);
                        if let Some((_, prefixes)) = known {
                            prefixes.add(route, index);
                        } else {
                            let mut prefixes = Prefixes::default();
                            prefixes.add(route, index);
                            table.wildcards.push((host.clone(), prefixes));
                        }
                    }
                }
            }
        }
        let caseless = |(_, route): &(usize, &Route)| route.dialect == Dialect::Windows;
        table.caseless =
            routes.iter().enumerate().filter(caseless).map(|(index, _)| index).collect();
        table.wildcards.sort_by_key(|(host, _)| std::cmp::Reverse(host.to_string().len()));
        table.routes = routes;
        table
    }

    /// All routes, in the order of the configuration.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The index and the route that answers for a request.
    ///
    /// # Errors
    ///
    /// [`NoRoute::CaseVariant`]: answer 400; [`NoRoute::Method`]: answer 405;
    /// [`NoRoute::Nothing`]: answer 404.
    pub fn find(
        &self,
        listener: usize,
        host: &CanonicalHost<'_>,
        path: &CanonicalPath<'_>,
        method: &Method,
    ) -> Result<(usize, &Route), NoRoute<'_>> {
        let found = self.find_exactly(listener, host, path, method);
        if !self.caseless.is_empty()
            && let Some(variant) = self.variant(listener, host, path, &found)
        {
            return Err(NoRoute::CaseVariant(variant));
        }
        found
    }

    /// The route that an upstream which does not tell case apart would serve the path below,
    /// while what was found is another's, or nothing. `/FILES/bob` must not fall through to the
    /// route of `/` because only `/files` is guarded.
    fn variant(
        &self,
        listener: usize,
        host: &CanonicalHost<'_>,
        path: &CanonicalPath<'_>,
        found: &Result<(usize, &Route), NoRoute<'_>>,
    ) -> Option<&str> {
        let depth = match found {
            Ok((_, route)) => route.path.as_str().len(),
            Err(_) => 0,
        };
        let mut routes = self.caseless.iter().filter_map(|&index| self.routes.get(index));
        let variant = routes.find(|route| {
            route.listeners.contains(&listener)
                && (route.hosts.is_empty() || route.hosts.iter().any(|known| known.matches(host)))
                && route.path.as_str().len() >= depth
                && route.path.covers_ignoring_case(path)
                && !route.path.covers(path)
        });
        variant.map(|route| &*route.name)
    }

    fn find_exactly(
        &self,
        listener: usize,
        host: &CanonicalHost<'_>,
        path: &CanonicalPath<'_>,
        method: &Method,
    ) -> Result<(usize, &Route), NoRoute<'_>> {
        let mut candidates = self.candidates(listener, host, path);
        let Some((index, first)) = candidates.next() else { return Err(NoRoute::Nothing) };
        if first.demands(method).is_some() {
            return Ok((index, first));
        }
        let found = candidates.find(|(_, route)| route.demands(method).is_some());
        found.ok_or(NoRoute::Method(&first.name))
    }

    /// The methods that host and path let through, on whichever route: what `Allow` says of them
    /// (RFC 9110 §10.2.1).
    pub fn methods(
        &self,
        listener: usize,
        host: &CanonicalHost<'_>,
        path: &CanonicalPath<'_>,
    ) -> impl Iterator<Item = &Method> {
        let candidates = self.candidates(listener, host, path);
        candidates.flat_map(|(_, route)| route.methods.iter().map(|(method, _)| method))
    }

    /// The routes of the longest path, which differ in their methods alone.
    fn candidates(
        &self,
        listener: usize,
        host: &CanonicalHost<'_>,
        path: &CanonicalPath<'_>,
    ) -> impl Iterator<Item = (usize, &Route)> {
        let exact = if self.exact.is_empty() { None } else { self.exact.get(host.name()) };
        let wildcards = self.wildcards.iter().filter(|(pattern, _)| pattern.matches(host));
        let groups = exact.into_iter().chain(wildcards.map(|(_, prefixes)| prefixes));
        let found = groups
            .chain(std::iter::once(&self.any))
            .find_map(|prefixes| prefixes.find(path, |index| self.answers(index, listener)));
        let found = found.unwrap_or_default().iter();
        found
            .filter_map(|&index| Some((index, self.routes.get(index)?)))
            .filter(move |(_, route)| route.listeners.contains(&listener))
    }

    fn answers(&self, index: usize, listener: usize) -> bool {
        self.routes.get(index).is_some_and(|route| route.listeners.contains(&listener))
    }
}

impl Prefixes {
    fn add(&mut self, route: &Route, index: usize) {
        self.0.entry(route.path.as_str().into()).or_default().push(index);
    }

    /// The routes of the longest prefix that has one which answers.
    fn find(&self, path: &CanonicalPath<'_>, answers: impl Fn(usize) -> bool) -> Option<&[usize]> {
        if self.0.is_empty() {
            return None;
        }
        let mut rest = path.as_str();
        rest = rest.strip_suffix('/').unwrap_or(rest);
        loop {
            if let Some(found) = self.0.get(rest)
                && found.iter().any(|&index| answers(index))
            {
                return Some(found);
            }
            rest = rest.get(..rest.rfind('/')?)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Challenges, IdentityFields, Places};
    use super::*;
    use crate::credential::Accepted;

    fn route(
        name: &str,
        hosts: &[&str],
        path: &str,
        methods: &[Method],
        listeners: &[usize],
    ) -> Route {
        Route {
            name: name.into(),
            place: "test:1:1".into(),
            places: Places::default(),
            hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
            path: path.parse().unwrap(),
            methods: methods.iter().map(|method| (method.clone(), Vec::new())).collect(),
            listeners: listeners.to_vec(),
            upstream: 0,
            accepted: Accepted::default(),
            has_login_page: false,
            dialect: Dialect::Posix,
            home: None,
            roles: Vec::new(),
            groups: Vec::new(),
            forwards_credential: false,
            identity: IdentityFields::None,
            websocket: false,
            body_limit: None,
            preserves_host: true,
            challenges: Challenges::default(),
        }
    }

    fn table() -> Table {
        let get = &[Method::GET][..];
        Table::new(vec![
            route("any", &[], "/", get, &[0, 1]),
            route("files", &[], "/files", get, &[0]),
            route("deep", &[], "/files/a/b", get, &[0]),
            route("put", &[], "/files/a/b", &[Method::PUT], &[0]),
            route("exact", &["a.test"], "/x", get, &[0]),
            route("wild", &["*.test"], "/x", get, &[0]),
            route("second", &[], "/second", get, &[1]),
            Route {
                dialect: Dialect::Windows,
                ..route("win", &["win.test"], "/Share/Ab", get, &[0])
            },
        ])
    }

    fn found(listener: usize, host: &str, path: &str, method: &Method) -> String {
        let table = table();
        let host = CanonicalHost::parse(host).unwrap();
        let path = CanonicalPath::parse(path).unwrap();
        match table.find(listener, &host, &path, method) {
            Ok((_, route)) => route.name.to_string(),
            Err(NoRoute::Method(name)) => format!("405 {name}"),
            Err(NoRoute::CaseVariant(name)) => format!("400 {name}"),
            Err(NoRoute::Nothing) => "404".to_owned(),
        }
    }

    #[test]
    fn the_longest_prefix_wins_by_whole_segments() {
        for (path, name) in [
            ("/", "any"),
            ("/filesystem", "any"),
            ("/files", "files"),
            ("/files/", "files"),
            ("/files/a", "files"),
            ("/files/a/bc", "files"),
            ("/files/a/b", "deep"),
            ("/files/a/b/c/d", "deep"),
        ] {
            assert_eq!(found(0, "z.example", path, &Method::GET), name, "{path}");
        }
    }

    #[test]
    fn the_most_specific_host_wins_and_the_rest_is_the_fallback() {
        assert_eq!(found(0, "a.test", "/x", &Method::GET), "exact");
        assert_eq!(found(0, "A.TEST.:8443", "/x", &Method::GET), "exact");
        assert_eq!(found(0, "b.test", "/x/y", &Method::GET), "wild");
        assert_eq!(found(0, "b.test", "/files", &Method::GET), "files");
    }

    #[test]
    fn a_method_that_no_route_lets_through_is_told_from_a_path_without_route() {
        assert_eq!(found(0, "z", "/files/a/b", &Method::PUT), "put");
        assert_eq!(found(0, "z", "/files/a/b", &Method::DELETE), "405 deep");
        assert_eq!(found(2, "z", "/", &Method::GET), "404");
    }

    #[test]
    fn the_methods_of_a_path_are_those_of_all_its_routes() {
        let table = table();
        let host = CanonicalHost::parse("z").unwrap();
        let path = CanonicalPath::parse("/files/a/b/c").unwrap();
        let methods = |listener| table.methods(listener, &host, &path).collect::<Vec<_>>();

        assert_eq!(methods(0), [&Method::GET, &Method::PUT]);
        assert_eq!(methods(1), [&Method::GET]);
        assert!(methods(2).is_empty());
    }

    #[test]
    fn another_case_does_not_lead_round_a_route_whose_upstream_does_not_tell_it_apart() {
        for (host, path, name) in [
            ("win.test", "/Share/Ab/c", "win"),
            ("win.test", "/share/AB/c", "400 win"),
            ("win.test", "/SHARE/ab", "400 win"),
            ("win.test", "/share/abc", "any"),
            ("a.test", "/share/ab", "any"),
        ] {
            assert_eq!(found(0, host, path, &Method::GET), name, "{host}{path}");
        }
    }

    #[test]
    fn a_route_of_another_listener_is_not_reached() {
        assert_eq!(found(0, "z", "/second", &Method::GET), "any");
        assert_eq!(found(1, "z", "/second", &Method::GET), "second");
    }
}
