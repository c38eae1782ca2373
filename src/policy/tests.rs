use std::sync::Arc;

use super::*;
use crate::api_key::{ApiKey, KeyKind};
use crate::credential::Accepted;
use crate::home::{Content, HomeRule};
use crate::identity::principal::Facts;
use crate::resource::{CanonicalHost, CanonicalQuery, Condition, Dialect, PathPrefix};
use crate::route::{Challenges, IdentityFields, Places};
use crate::user::{Grant, Roles};

fn route(demanded: &[&str]) -> Route {
    let permissions: Vec<Permission> = demanded.iter().map(|one| one.parse().unwrap()).collect();
    let methods = [Method::GET, Method::PUT, Method::HEAD];
    Route {
        name: "files".into(),
        place: "".into(),
        places: Places::default(),
        hosts: Vec::new(),
        path: PathPrefix::root(),
        methods: methods.into_iter().map(|method| (method, permissions.clone())).collect(),
        listeners: vec![0],
        upstream: 0,
        accepted: Accepted::default(),
        has_login_page: false,
        dialect: Dialect::default(),
        home: None,
        roles: Vec::new(),
        groups: Vec::new(),
        forwards_credential: false,
        identity: IdentityFields::None,
        websocket: false,
        body_limit: None,
        preserves_host: false,
        challenges: Challenges::default(),
    }
}

fn principal(grants: &[&str], scope: &str) -> Rc<Principal> {
    let key = ApiKey {
        id: "k".into(),
        hash: [0; 32],
        owner: "alice".into(),
        kind: KeyKind::User,
        label: "".into(),
        scope: serde_json::from_str(scope).unwrap(),
        created_at: 0,
        expires_at: None,
    };
    let facts = Facts {
        name: "alice".into(),
        roles: vec!["editor".into()],
        permissions: grants.iter().map(|grant| grant.parse::<Grant>().unwrap()).collect(),
        key: Some(Arc::new(key)),
        ..crate::identity::anonymous().facts().clone()
    };
    Rc::new(Principal::of_facts(facts))
}

fn decide(
    principal: &Rc<Principal>,
    route: &Route,
    (method, path, client): (Method, &str, &str),
    destination: Option<&str>,
) -> Result<(), Denied> {
    decide_if(principal, route, (method, path, client), destination, None)
}

fn decide_if(
    principal: &Rc<Principal>,
    route: &Route,
    (method, path, client): (Method, &str, &str),
    destination: Option<&str>,
    condition: Option<&str>,
) -> Result<(), Denied> {
    let host = CanonicalHost::parse("files.test").unwrap();
    let path = CanonicalPath::parse(path).unwrap();
    let query = CanonicalQuery::parse(None).unwrap();
    let destination = destination.map(|to| Destination::parse(to, &host, true).unwrap());
    let condition = condition.map(|it| Condition::parse(it, &host, true).unwrap());
    let named = Named {
        path: &path,
        query: &query,
        destination: destination.as_ref(),
        condition: condition.as_ref(),
        content: Content::Unread,
    };
    authorize(principal, route, &method, &named, client.parse().unwrap()).map(drop)
}

const HERE: &str = "10.0.0.1";

#[test]
fn a_key_reaches_as_far_as_its_scope_and_no_farther() {
    let scope = r#"{"path": "/a", "methods": ["GET"], "sources": ["10.0.0.0/8"]}"#;
    let key = principal(&["*:*"], scope);
    let route = route(&[]);
    let outside = |reach| Err(Denied::OutsideScope(reach));

    for (asked, destination, expected) in [
        ((Method::GET, "/a/x", HERE), None, Ok(())),
        ((Method::GET, "/a/x", HERE), Some("/a/y"), Ok(())),
        ((Method::GET, "/a/x", HERE), Some("/b"), outside(Reach::Path)),
        ((Method::GET, "/a2", HERE), None, outside(Reach::Path)),
        ((Method::GET, "/A/x", HERE), None, outside(Reach::Path)),
        ((Method::PUT, "/a/x", HERE), None, outside(Reach::Method)),
        ((Method::HEAD, "/a/x", HERE), None, outside(Reach::Method)),
        ((Method::GET, "/a/x", "11.0.0.1"), None, outside(Reach::Source)),
        ((Method::DELETE, "/a/x", HERE), None, Err(Denied::Method)),
    ] {
        assert_eq!(decide(&key, &route, asked.clone(), destination), expected, "{asked:?}");
    }
}

#[test]
fn a_key_reaches_what_tags_of_if_name_or_not() {
    let key = principal(&["*:*"], r#"{"path": "/a"}"#);
    let route = route(&[]);
    let outside = Err(Denied::OutsideScope(Reach::Path));

    for (condition, expected) in [
        ("(<urn:1>)", Ok(())),
        ("</a/y> (<urn:1>) <https://files.test/a> ([\"e\"])", Ok(())),
        ("</b> (<urn:1>)", outside),
        ("</a/y> (<urn:1>) </a2> ([\"e\"])", outside),
    ] {
        let asked = (Method::GET, "/a/x", HERE);
        assert_eq!(decide_if(&key, &route, asked, None, Some(condition)), expected, "{condition}");
    }
}

#[test]
fn without_its_body_a_request_is_admitted_and_not_permitted() {
    let mut route = route(&["files:read"]);
    route.home =
        Some(HomeRule { places: vec!["json:files".parse().unwrap()], ..HomeRule::default() });
    let at_home = |grants: &[&str], home: &str| {
        let facts =
            Facts { home: Some(home.parse().unwrap()), ..principal(grants, "{}").facts().clone() };
        Rc::new(Principal::of_facts(facts))
    };
    let path = CanonicalPath::parse("/search").unwrap();
    let query = CanonicalQuery::parse(None).unwrap();
    let client = HERE.parse().unwrap();
    let named =
        |content| Named { path: &path, query: &query, destination: None, condition: None, content };
    let (alice, nobody) = (at_home(&["files:*"], "/alice"), at_home(&[], "/alice"));
    let ask = |who: &Rc<Principal>, content| {
        let named = named(content);
        let admitted = admit(who, &route, &Method::GET, &named, client).map(drop);
        (admitted, authorize(who, &route, &Method::GET, &named, client).map(drop))
    };

    let unread = Err(Denied::Home(HomeError::UnreadBody));
    assert_eq!(ask(&alice, Content::Unread), (Ok(()), unread));
    assert_eq!(ask(&at_home(&["files:*"], "/"), Content::Unread), (Ok(()), unread));
    let missing = Err(Denied::MissingPermission);
    assert_eq!(ask(&nobody, Content::Unread), (missing, missing));
    let nothing = Err(Denied::Home(HomeError::NamesNothing));
    assert_eq!(ask(&alice, Content::Absent), (Ok(()), nothing));
}

#[test]
fn a_key_passes_on_what_both_its_scope_and_its_owner_may() {
    let asked = (Method::GET, "/x", HERE);
    let decide = |grants: &[&str], scope| {
        decide(&principal(grants, scope), &route(&["files:read"]), asked.clone(), None)
    };

    assert_eq!(decide(&["files:*"], r#"{"permissions": ["files:read"]}"#), Ok(()));
    assert_eq!(decide(&["files:read"], "{}"), Ok(()));
    let narrow = Denied::OutsideScope(Reach::Permission);
    assert_eq!(decide(&["files:*"], r#"{"permissions": ["files:write"]}"#), Err(narrow));
    assert_eq!(decide(&["files:*"], r#"{"permissions": []}"#), Err(narrow));
    let wide = r#"{"permissions": ["*:*"]}"#;
    assert_eq!(decide(&["files:write"], wide), Err(Denied::MissingPermission));
}

#[test]
fn a_key_that_passes_on_some_permissions_has_no_role() {
    let mut route = route(&[]);
    route.roles = vec!["editor".into()];
    let asked = (Method::GET, "/x", HERE);

    assert_eq!(decide(&principal(&[], "{}"), &route, asked.clone(), None), Ok(()));
    let narrowed = principal(&[], r#"{"permissions": ["files:read"]}"#);
    assert_eq!(decide(&narrowed, &route, asked, None), Err(Denied::MissingRole));
}

#[test]
fn what_is_told_demand_by_demand_is_what_is_decided() {
    let path = CanonicalPath::parse("/a/x").unwrap();
    let query = CanonicalQuery::parse(None).unwrap();
    let named = Named {
        path: &path,
        query: &query,
        destination: None,
        condition: None,
        content: Content::Absent,
    };
    let mut roles = Roles::default();
    roles.define("editor", ["files:*"]).unwrap();
    roles.stands_at("editor", "main.toml:3:1");
    let mut route = route(&["files:read"]);
    route.places.methods = "main.toml:7:1".into();
    let client = HERE.parse().unwrap();
    let scopes = ["{}", r#"{"path": "/b"}"#, r#"{"methods": ["PUT"]}"#, r#"{"permissions": []}"#];
    let groups = [Vec::new(), vec!["staff".into()]];
    let mut verdicts = 0;

    for method in [Method::GET, Method::PUT, Method::DELETE] {
        for (grants, scope) in [&["files:read"][..], &["x"]]
            .into_iter()
            .flat_map(|grants| scopes.iter().map(move |scope| (grants, *scope)))
        {
            for demanded in &groups {
                route.groups.clone_from(demanded);
                let principal = principal(grants, scope);
                let findings =
                    explanation::explain(&principal, &route, &method, &named, &roles, client);
                let decided = authorize(&principal, &route, &method, &named, client);
                let are_met = findings.iter().all(|finding| finding.is_met);
                assert_eq!(are_met, decided.is_ok(), "{method} {grants:?} {scope} {findings:?}");
                assert_eq!(findings[0].place, "main.toml:7:1");
                verdicts += usize::from(are_met);
            }
        }
    }
    assert!(verdicts > 0);
    let principal = principal(&["files:read"], "{}");
    let findings = explanation::explain(&principal, &route, &Method::GET, &named, &roles, client);
    let permission = findings.iter().find(|one| one.demand == "permission files:read").unwrap();
    assert_eq!(permission.because, "holds [files:read], by the role editor at main.toml:3:1");
}
