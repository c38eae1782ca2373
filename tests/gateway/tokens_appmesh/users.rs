//! Users, roles and permissions.

use super::*;

struct As<'g>(&'g TestGateway, String);

impl As<'_> {
    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &str) -> Response {
        send(self.0, method, path, &[("Authorization", &self.1)], body)
    }

    #[track_caller]
    fn good(&self, method: &str, path: &str, body: &str) -> Value {
        good(&self.ask(method, path, body))
    }
}

fn message(text: &str) -> Value {
    json!({ "message": text })
}

#[test]
fn everything_needs_its_permission() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let bare = As(&gateway, format!("Bearer {}", token(&gateway, "bare", "dave-has-no-home")));
    let nobody = As(&gateway, "Bearer x".to_owned());
    for (method, path, permission) in [
        ("POST", "/appmesh/user/self/passwd", "passwd-change-self"),
        ("POST", "/appmesh/user/mesh/passwd", "passwd-change-user"),
        ("POST", "/appmesh/user/mesh/lock", "user-lock"),
        ("POST", "/appmesh/user/mesh/unlock", "user-unlock"),
        ("PUT", "/appmesh/user/x", "user-add"),
        ("DELETE", "/appmesh/user/mesh", "user-delete"),
        ("GET", "/appmesh/users", "user-list"),
        ("GET", "/appmesh/user/groups", "user-list"),
        ("GET", "/appmesh/roles", "role-view"),
        ("POST", "/appmesh/role/x", "role-set"),
        ("DELETE", "/appmesh/role/member", "role-delete"),
        ("GET", "/appmesh/permissions", "permission-list"),
    ] {
        assert_refused(&bare.ask(method, path, "{}"), 403, &denied("bare", permission));
        assert_eq!(refusal(&nobody.ask(method, path, "{}")).0, 401, "{method} {path}");
        let answer = send(&gateway, method, path, &[], "{}");
        assert_refused(&answer, 401, "No authentication token provided");
    }
    assert_eq!(gateway.files().read("users.yaml"), USERS);
}

#[test]
fn users_see_themselves_and_admins_everybody() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (admin, mesh) = (As(&gateway, admin(&gateway)), As(&gateway, mesh(&gateway)));
    let mut of_mesh = json!({
        "name": "mesh", "email": "mesh@example.org", "exec_user": "nobody", "group": "users",
        "locked": false, "mfa_enabled": false, "roles": ["member"],
    });
    let all = admin.good("GET", "/appmesh/users", "");
    assert_eq!(all["mesh"], of_mesh);
    assert_eq!(all["locked"]["locked"], true);
    assert_eq!(all.as_object().unwrap().len(), 4);
    assert!(!all.to_string().contains("bob-the-builder"));
    of_mesh["audience"] = json!(["appmesh-service", "other-service"]);
    assert_eq!(mesh.good("GET", "/appmesh/user/self", ""), of_mesh);
    assert_eq!(mesh.ask("HEAD", "/appmesh/user/self", "").status, 200);
    let groups = admin.good("GET", "/appmesh/user/groups", "");
    assert_eq!(groups, json!(["admins", "more", "users"]));
    let own = json!([
        "app-view",
        "passwd-change-self",
        "user-token-renew",
        "user-totp-active",
        "user-totp-disable"
    ]);
    assert_eq!(mesh.good("GET", "/appmesh/user/permissions", ""), own);
    let all = admin.good("GET", "/appmesh/permissions", "");
    let mut all = all.as_array().unwrap().clone();
    assert!(all.contains(&json!("user-list")) && all.contains(&json!("files:read")));
    // `*` stands for one segment.
    all.retain(|permission| permission != "files:read");
    assert_eq!(admin.good("GET", "/appmesh/user/permissions", ""), Value::Array(all));
}

#[test]
fn users_are_added_changed_and_removed() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let admin = As(&gateway, admin(&gateway));
    let body = "{\"key\":\"root-of-some-things\",\"email\":\"n@example.org\",\"exec_user\":\"n\",\
                \"group\":\"g\",\"locked\":false,\"mfa_enabled\":false,\"mfa_key\":\"\",\
                \"roles\":[\"member\"],\"metadata\":\"x\"}";

    let said = admin.good("PUT", "/appmesh/user/new%20one", body);

    assert_eq!(said, message("User add success"));
    let new = token(&gateway, "new one", "root-of-some-things");
    let seen = admin.good("GET", "/appmesh/users", "")["new one"].clone();
    assert_eq!((&seen["group"], &seen["exec_user"]), (&json!("g"), &json!("n")));
    let file = gateway.files().read("users.yaml");
    assert!(file.contains("# people") && file.contains("$argon2id$"), "{file}");
    assert!(!file.contains("root-of-some-things"));
    let body = "{\"roles\":[],\"group\":\"\",\"exec_user\":\"other\"}";
    admin.good("PUT", "/appmesh/user/mesh", body);
    let seen = admin.good("GET", "/appmesh/users", "")["mesh"].clone();
    assert_eq!((&seen["roles"], &seen["exec_user"]), (&json!([]), &json!("other")));
    assert_eq!((&seen["group"], &seen["email"]), (&json!(""), &json!("mesh@example.org")));
    assert!(gateway.files().read("users.yaml").contains("kept"));
    good(&login(&gateway, "mesh", "bob-the-builder", &[]));

    let said = admin.good("DELETE", "/appmesh/user/new%20one", "");
    assert_eq!(said, message("User delete success"));
    let answer = post(&gateway, "/appmesh/auth", &[("Authorization", &new)], "");
    assert_eq!(refusal(&answer).0, 401);
    assert_eq!(refusal(&admin.ask("DELETE", "/appmesh/user/new%20one", "")).0, 404);
    for (path, body) in [
        ("/appmesh/user/self", "{}"),
        ("/appmesh/user/x", ""),
        ("/appmesh/user/x", "[]"),
        ("/appmesh/user/x", "{"),
        ("/appmesh/user/x", "{\"key\":1}"),
        ("/appmesh/user/x", "{\"key\":\"\"}"),
        ("/appmesh/user/x", "{\"key\":\"a\\u0000\"}"),
        ("/appmesh/user/x", "{\"roles\":\"manage\"}"),
        ("/appmesh/user/x", "{\"roles\":[\"a,b\"]}"),
        ("/appmesh/user/x", "{\"email\":\"a\\u000ab\"}"),
        ("/appmesh/user/%20x", "{}"),
        ("/appmesh/user/mesh", "{\"locked\":\"yes\"}"),
        ("/appmesh/user/admin", "{\"locked\":true}"),
    ] {
        assert_eq!(refusal(&admin.ask("PUT", path, body)).0, 400, "{path} {body}");
    }
    assert_eq!(refusal(&admin.ask("DELETE", "/appmesh/user/self", "")).0, 400);
}

#[test]
fn who_is_locked_has_nothing_left() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (admin, mesh) = (As(&gateway, admin(&gateway)), As(&gateway, mesh(&gateway)));

    let said = admin.good("POST", "/appmesh/user/mesh/lock", "");

    assert_eq!(said, message("User lock success"));
    assert_eq!(mesh.ask("GET", "/appmesh/user/self", "").status, 401);
    let answer = login(&gateway, "mesh", "bob-the-builder", &[]);
    assert_refused(&answer, 401, "Authentication failed");
    gateway.wait("the log", || {
        let lines = gateway.log_lines("/appmesh/login");
        lines
            .iter()
            .any(|line| line.contains("\"reason\":\"password\"") && line.contains("\"mesh\""))
    });
    let said = admin.good("POST", "/appmesh/user/mesh/unlock", "");
    assert_eq!(said, message("User unlock success"));
    assert_eq!(mesh.ask("GET", "/appmesh/user/self", "").status, 401, "what has ended has ended");
    good(&login(&gateway, "mesh", "bob-the-builder", &[]));
    let refused = admin.ask("POST", "/appmesh/user/admin/lock", "");
    assert_refused(&refused, 400, "User admin can not be locked");
    let refused = admin.ask("POST", "/appmesh/user/self/lock", "");
    assert_refused(&refused, 400, "User admin can not be locked");
    assert_eq!(refusal(&admin.ask("POST", "/appmesh/user/x/lock", "")).0, 404);
}

fn passwords(old: &str, new: &str) -> String {
    let text = |text: &str| STANDARD.encode(text);
    json!({ "old_password": text(old), "new_password": text(new) }).to_string()
}

#[test]
fn a_password_is_changed_by_who_knows_the_old_one() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (admin, mesh) = (As(&gateway, admin(&gateway)), As(&gateway, mesh(&gateway)));
    let own = "/appmesh/user/self/passwd";
    let wrong = |user: &str| format!("old password for user <{user}> is incorrect");
    assert_refused(&mesh.ask("POST", own, &passwords("x", "y")), 400, &wrong("mesh"));
    for body in ["", "{}", "[\"\",\"\"]", "{\"old_password\":\"!\",\"new_password\":\"!\"}"] {
        assert_eq!(refusal(&mesh.ask("POST", own, body)).0, 400, "{body}");
    }
    for unfit in ["", "a\0b", &"x".repeat(1025)] {
        let answer = mesh.ask("POST", own, &passwords("bob-the-builder", unfit));
        assert_eq!(refusal(&answer).0, 400, "{unfit:?}");
    }
    mesh.good("POST", own, &passwords("bob-the-builder", "looking-glass"));
    assert_eq!(mesh.ask("GET", "/appmesh/user/self", "").status, 401);
    assert_eq!(login(&gateway, "mesh", "bob-the-builder", &[]).status, 401);
    good(&login(&gateway, "mesh", "looking-glass", &[]));

    let others = "/appmesh/user/mesh/passwd";
    assert_refused(&admin.ask("POST", others, &passwords("x", "y")), 400, &wrong("mesh"));
    admin.good("POST", others, &passwords("looking-glass", "third"));
    good(&login(&gateway, "mesh", "third", &[]));
    let unknown = admin.ask("POST", "/appmesh/user/x/passwd", &passwords("x", "y"));
    assert_refused(&unknown, 400, &wrong("x"));
}

#[test]
fn roles_of_the_file_are_set_and_removed() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (admin, mesh) = (As(&gateway, admin(&gateway)), As(&gateway, mesh(&gateway)));
    let roles = admin.good("GET", "/appmesh/roles", "");
    assert_eq!((&roles["manage"], &roles["reader"]), (&json!(["*"]), &json!(["files:read"])));

    admin.good("POST", "/appmesh/role/member", "[\"app-view\",\"user-list\"]");

    mesh.good("GET", "/appmesh/users", "");
    let answer = mesh.ask("POST", "/appmesh/token/renew", "");
    assert_refused(&answer, 403, &denied("mesh", "user-token-renew"));
    admin.good("POST", "/appmesh/role/fresh", "[\"x\"]");
    let fresh = admin.good("GET", "/appmesh/roles", "")["fresh"].clone();
    assert_eq!(fresh, json!(["x"]));
    admin.good("DELETE", "/appmesh/role/fresh", "");
    admin.good("POST", "/appmesh/role/member", "[]");
    assert_eq!(admin.good("GET", "/appmesh/roles", "").get("member"), None);
    for (method, path, body, status) in [
        ("POST", "/appmesh/role/x", "", 400),
        ("POST", "/appmesh/role/x", "{}", 400),
        ("POST", "/appmesh/role/x", "[1]", 400),
        ("POST", "/appmesh/role/x", "[\"a b\"]", 400),
        ("POST", "/appmesh/role/reader", "[\"x\"]", 409),
        ("DELETE", "/appmesh/role/reader", "", 409),
        ("DELETE", "/appmesh/role/fresh", "", 404),
    ] {
        let answer = admin.ask(method, path, body);
        assert_eq!(refusal(&answer).0, status, "{method} {path} {body}");
    }
    let file = gateway.files().read("users.yaml");
    assert!(file.contains("# everything") && file.contains("# soon a hash"), "{file}");
}
