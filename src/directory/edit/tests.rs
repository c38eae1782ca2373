use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const HASH: &str = "$argon2id$v=19$m=1024,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y";

fn set_password(name: &str) -> Change {
    Change::SetPassword { name: name.to_owned(), hash: "$new$".to_owned() }
}

fn bob() -> Change {
    Change::Add(NewUser {
        name: "bob".to_owned(),
        hash: Some("$b$".to_owned()),
        roles: vec!["reader".to_owned()],
        home: Some("/bob".to_owned()),
        ..NewUser::default()
    })
}

fn only_name() -> Change {
    Change::Add(NewUser { name: "no".to_owned(), ..NewUser::default() })
}

fn disable(name: &str) -> Change {
    Change::Disable(name.to_owned())
}

fn enable(name: &str) -> Change {
    Change::Enable(name.to_owned())
}

fn remove(name: &str) -> Change {
    Change::Remove(name.to_owned())
}

#[track_caller]
fn becomes(format: Format, text: &str, change: &Change, expected: &str) {
    match rewrite(text, format, change) {
        Ok(changed) => assert_eq!(changed, expected),
        Err(error) => panic!("{error}\n{text}"),
    }
}

const YAML: &str = "# people\n- username: alice # the first\n  password: \"old\" # soon\n  home: /alice\n\n# the second\n- username: carol\n  passhash: '$c$'\n";

#[test]
fn yaml_lists_keep_comments_and_order() {
    let yaml = |change: &Change, expected: &str| becomes(Format::Yaml, YAML, change, expected);
    yaml(
        &set_password("alice"),
        "# people\n- username: alice # the first\n  passhash: \"$new$\" # soon\n  home: /alice\n\n# the second\n- username: carol\n  passhash: '$c$'\n",
    );
    yaml(
        &set_password("carol"),
        "# people\n- username: alice # the first\n  password: \"old\" # soon\n  home: /alice\n\n# the second\n- username: carol\n  passhash: \"$new$\"\n",
    );
    yaml(
        &disable("alice"),
        "# people\n- username: alice # the first\n  disabled: true\n  password: \"old\" # soon\n  home: /alice\n\n# the second\n- username: carol\n  passhash: '$c$'\n",
    );
    yaml(&enable("alice"), YAML);
    yaml(&remove("alice"), "# people\n\n# the second\n- username: carol\n  passhash: '$c$'\n");
    yaml(
        &remove("carol"),
        "# people\n- username: alice # the first\n  password: \"old\" # soon\n  home: /alice\n\n# the second\n",
    );
    yaml(
        &bob(),
        "# people\n- username: alice # the first\n  password: \"old\" # soon\n  home: /alice\n\n# the second\n- username: carol\n  passhash: '$c$'\n- username: bob\n  passhash: \"$b$\"\n  roles: [\"reader\"]\n  home: \"/bob\"\n",
    );
}

#[test]
fn yaml_maps_and_flows_are_changed_in_their_own_way() {
    let map = "users:\n  alice:\n    home: /a # here\n  carol: {passhash: x, disabled: true}\nroles: {}\n";
    becomes(
        Format::Yaml,
        map,
        &set_password("alice"),
        "users:\n  alice:\n    passhash: \"$new$\"\n    home: /a # here\n  carol: {passhash: x, disabled: true}\nroles: {}\n",
    );
    becomes(
        Format::Yaml,
        map,
        &enable("carol"),
        "users:\n  alice:\n    home: /a # here\n  carol: {passhash: x, disabled: false}\nroles: {}\n",
    );
    becomes(
        Format::Yaml,
        map,
        &remove("alice"),
        "users:\n  carol: {passhash: x, disabled: true}\nroles: {}\n",
    );
    becomes(
        Format::Yaml,
        map,
        &bob(),
        "users:\n  alice:\n    home: /a # here\n  carol: {passhash: x, disabled: true}\n  bob:\n    passhash: \"$b$\"\n    roles: [\"reader\"]\n    home: \"/bob\"\nroles: {}\n",
    );
    becomes(
        Format::Yaml,
        "users:\n  alice: {}\n",
        &only_name(),
        "users:\n  alice: {}\n  \"no\": {}\n",
    );
    becomes(
        Format::Yaml,
        "[{username: a, password: x}, {username: b}]\n",
        &remove("b"),
        "[{username: a, password: x}]\n",
    );
    becomes(
        Format::Yaml,
        "- {username: a, passhash: x, password: y}\r\n- username: b\r\n",
        &set_password("b"),
        "- {username: a, passhash: x, password: y}\r\n- passhash: \"$new$\"\r\n  username: b\r\n",
    );
    becomes(
        Format::Yaml,
        "- {username: a, passhash: x, password: y}\n",
        &set_password("a"),
        "- {username: a, passhash: \"$new$\", password: \"\"}\n",
    );
    becomes(
        Format::Yaml,
        "- username: a\n  passhash:\n  home: /a\n",
        &set_password("a"),
        "- username: a\n  passhash: \"$new$\"\n  home: /a\n",
    );
}

#[test]
fn a_first_user_finds_room() {
    let entry = "username: bob\n  passhash: \"$b$\"\n  roles: [\"reader\"]\n  home: \"/bob\"\n";
    let json = r#"{"username": "bob", "passhash": "$b$", "roles": ["reader"], "home": "/bob"}"#;
    becomes(Format::Yaml, "", &bob(), &format!("- {entry}"));
    becomes(Format::Yaml, "# nobody yet\n", &bob(), &format!("# nobody yet\n- {entry}"));
    becomes(Format::Yaml, "[]\n", &only_name(), "[{username: \"no\"}]\n");
    becomes(
        Format::Yaml,
        "users: # none\nroles: {}\n",
        &only_name(),
        "users: # none\n  - username: \"no\"\nroles: {}\n",
    );
    becomes(
        Format::Yaml,
        "roles:\n  a: [b]\n",
        &only_name(),
        "roles:\n  a: [b]\nusers:\n  - username: \"no\"\n",
    );
    becomes(Format::Json, "", &bob(), &format!("[\n  {json}\n]\n"));
    becomes(Format::Json, "[]", &bob(), &format!("[{json}]"));
    becomes(Format::Json, "{\"users\": null}", &bob(), &format!("{{\"users\": [{json}]}}"));
    becomes(Format::Json, "{}", &only_name(), "{\"users\": [{\"username\": \"no\"}]}");
    becomes(
        Format::Json,
        "{\"roles\": {}}",
        &only_name(),
        "{\"users\": [{\"username\": \"no\"}], \"roles\": {}}",
    );
    becomes(Format::Toml, "", &only_name(), "[[users]]\nname = \"no\"\n");
    becomes(Format::Htpasswd, "", &only_name(), "no:\n");
}

#[test]
fn json_keeps_its_layout() {
    let text = "[\n  {\n    \"username\": \"alice\",\n    \"password\": \"old\"\n  },\n  {\"username\": \"carol\"}\n]\n";
    becomes(
        Format::Json,
        text,
        &set_password("alice"),
        "[\n  {\n    \"username\": \"alice\",\n    \"passhash\": \"$new$\"\n  },\n  {\"username\": \"carol\"}\n]\n",
    );
    becomes(
        Format::Json,
        text,
        &disable("alice"),
        "[\n  {\n    \"username\": \"alice\",\n    \"disabled\": true,\n    \"password\": \"old\"\n  },\n  {\"username\": \"carol\"}\n]\n",
    );
    becomes(
        Format::Json,
        text,
        &disable("carol"),
        "[\n  {\n    \"username\": \"alice\",\n    \"password\": \"old\"\n  },\n  {\"disabled\": true, \"username\": \"carol\"}\n]\n",
    );
    becomes(Format::Json, text, &remove("alice"), "[\n  {\"username\": \"carol\"}\n]\n");
    becomes(
        Format::Json,
        text,
        &remove("carol"),
        "[\n  {\n    \"username\": \"alice\",\n    \"password\": \"old\"\n  }\n]\n",
    );
    becomes(
        Format::Json,
        text,
        &only_name(),
        "[\n  {\n    \"username\": \"alice\",\n    \"password\": \"old\"\n  },\n  {\"username\": \"carol\"},\n  {\"username\": \"no\"}\n]\n",
    );
    becomes(
        Format::Json,
        "{\"users\": {\"alice\": {}}}",
        &set_password("alice"),
        "{\"users\": {\"alice\": {\"passhash\": \"$new$\"}}}",
    );
    becomes(
        Format::Json,
        "{\"users\": {\"alice\": {}}}",
        &only_name(),
        "{\"users\": {\"alice\": {}, \"no\": {}}}",
    );
}

#[test]
fn toml_keeps_comments_and_order() {
    let text = "# people\n[[users]]\nname = 'alice' # the first\npassword = 'old'\n\n# the second\n[[users]]\nname = 'carol'\npasshash = '$c$' # kept\ndisabled = true\n\n[roles]\nreader = ['a']\n";
    becomes(Format::Toml, text, &set_password("carol"), &text.replace("'$c$'", "\"$new$\""));
    becomes(
        Format::Toml,
        text,
        &set_password("alice"),
        &text.replace("password = 'old'", "passhash = \"$new$\""),
    );
    becomes(Format::Toml, text, &enable("carol"), &text.replace("true", "false"));
    becomes(
        Format::Toml,
        text,
        &remove("carol"),
        "# people\n[[users]]\nname = 'alice' # the first\npassword = 'old'\n\n[roles]\nreader = ['a']\n",
    );
    let changed = rewrite(text, Format::Toml, &bob()).unwrap();
    assert!(
        changed.contains("[[users]]\nname = \"bob\"\npasshash = \"$b$\"\nroles = [\"reader\"]\n")
    );
    becomes(
        Format::Toml,
        "[users.alice]\nhome = '/a'\n",
        &disable("alice"),
        "[users.alice]\nhome = '/a'\ndisabled = true\n",
    );
    assert!(rewrite("[users.alice]\n", Format::Toml, &bob()).unwrap().contains("[users.bob]\n"));
    assert!(rewrite("users = [{name = 'a'}]\n", Format::Toml, &bob()).is_ok());
    becomes(
        Format::Toml,
        "users = [{name = 'a'}]\n",
        &disable("a"),
        "users = [{name = 'a', disabled = true }]\n",
    );
}

#[test]
fn htpasswd_changes_one_line() {
    let text = "# people\r\nalice:old:more\r\n\r\ncarol:!x\r\ndave:y";
    let htpasswd = |change: &Change, expected: &str| {
        becomes(Format::Htpasswd, text, change, expected);
    };
    htpasswd(&set_password("alice"), &text.replace("old", "$new$"));
    htpasswd(&set_password("carol"), &text.replace("!x", "!$new$"));
    htpasswd(&enable("carol"), &text.replace("!x", "x"));
    htpasswd(&disable("dave"), &text.replace(":y", ":!y"));
    htpasswd(&disable("carol"), text);
    htpasswd(&remove("alice"), "# people\r\n\r\ncarol:!x\r\ndave:y");
    htpasswd(&only_name(), &format!("{text}\r\nno:\r\n"));
    assert!(matches!(rewrite(text, Format::Htpasswd, &bob()), Err(EditError::NoRoom)));
    let colon = Change::Add(NewUser { name: "a:b".to_owned(), ..NewUser::default() });
    assert!(matches!(rewrite(text, Format::Htpasswd, &colon), Err(EditError::Ill(_))));
}

#[test]
fn what_can_not_be_done_is_said() {
    for format in [Format::Yaml, Format::Json, Format::Toml, Format::Htpasswd] {
        assert!(matches!(rewrite("", format, &remove("x")), Err(EditError::Unknown(_))));
        let once = rewrite("", format, &only_name()).unwrap();
        assert!(matches!(rewrite(&once, format, &only_name()), Err(EditError::Exists(_))));
        let bad = Change::Add(NewUser { name: " x".to_owned(), ..NewUser::default() });
        assert!(matches!(rewrite("", format, &bad), Err(EditError::Name(NameError::Padded))));
        let bad = Change::SetPassword { name: "no".to_owned(), hash: "a:b".to_owned() };
        assert!(matches!(rewrite(&once, format, &bad), Err(EditError::Ill(_))));
    }
    let home = NewUser { name: "x".into(), home: Some("/a/../b".into()), ..NewUser::default() };
    assert!(matches!(rewrite("", Format::Yaml, &Change::Add(home)), Err(EditError::Ill(_))));
    assert!(matches!(rewrite("- a: [", Format::Yaml, &bob()), Err(EditError::Unreadable(_))));
}

#[test]
fn odd_layouts_are_left_alone_rather_than_damaged() {
    let odd = [
        "users:\n  alice:\n",
        "-\n  username: alice\n",
        "- ? username\n  : alice\n  ? passhash\n  : x\n",
        "- username: alice\n  passhash: |-\n    x\n",
        "- username: alice\n  passhash: x\n...\n",
        "--- [{username: alice}]\n",
        "- username:\n    alice\n",
        "- \"username\": alice\n  \"passhash\" : x\n",
    ];
    let changes = [set_password("alice"), disable("alice"), remove("alice"), bob()];
    for text in odd {
        for change in &changes {
            match rewrite(text, Format::Yaml, change) {
                Ok(_) | Err(EditError::Unsafe) => {} // verified by reading it again
                Err(error) => panic!("{text}\n{change:?}\n{error}"),
            }
        }
    }
}

#[test]
fn a_file_is_replaced_in_one_step_with_its_mode() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("users.yaml");

    apply(&file, Format::Yaml, &bob()).unwrap();
    apply(&file, Format::Yaml, &only_name()).unwrap();

    assert!(fs::read_to_string(&file).unwrap().contains("- username: bob\n"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    let missing = folder.path().join("missing.yaml");
    assert!(matches!(apply(&missing, Format::Yaml, &remove("x")), Err(EditError::Unreadable(_))));
    assert!(!missing.exists());
    let before = fs::read_to_string(&file).unwrap();
    assert!(apply(&file, Format::Yaml, &bob()).is_err());
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn mode_and_link_are_kept() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = TempDir::new().unwrap();
    let (file, link) = (folder.path().join("real.yaml"), folder.path().join("users.yaml"));
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    apply(&file, Format::Yaml, &bob()).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    symlink("real.yaml", &link).unwrap();
    mode(0o640);

    apply(&link, Format::Yaml, &only_name()).unwrap();

    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::read_to_string(&file).unwrap().contains("no"));
}

#[test]
fn a_change_by_somebody_else_is_not_overwritten() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("users");
    fs::write(&file, "a:x\n").unwrap();

    let result = store::replace(&file, false, |_| {
        fs::write(&file, "b:x\n").unwrap();
        Ok("c:x\n".to_owned())
    });

    assert!(matches!(result, Err(EditError::Changed(_))));
    assert_eq!(fs::read_to_string(&file).unwrap(), "b:x\n");
}

proptest! {
    /// Whatever is done to files that were made by these changes can be done, and says what
    /// was meant: `rewrite` reads every result again and compares.
    #[test]
    fn changes_can_be_made_one_after_the_other(
        steps in prop::collection::vec((0_usize..5, 0_usize..6), 1..20),
        format in prop::sample::select(vec![Format::Yaml, Format::Json, Format::Toml, Format::Htpasswd]),
        start in 0_usize..3,
    ) {
        let names = ["alice", "no", "Ünal", "o'neil \"x\"", "a@b.c", "007"];
        let mut text = match (format, start) {
            (Format::Yaml, 1) => "users:\n- username: z\n# end\n".to_owned(),
            (Format::Yaml, 2) => "users: {z: {home: /}}\nroles: {r: [x]}\n".to_owned(),
            (Format::Json, 1) => "{\"users\": [\n], \"roles\": {}}".to_owned(),
            (Format::Json, 2) => "{\"users\": {\"z\": {}}}".to_owned(),
            (Format::Toml, 1) => "users = []\n".to_owned(),
            (Format::Toml, 2) => "[users.z]\n[roles]\nr = ['x']\n".to_owned(),
            _ => String::new(),
        };
        for (step, name) in steps {
            let name = names[name].to_owned();
            let change = match step {
                0 => Change::Add(NewUser { name, hash: Some(HASH.to_owned()), ..NewUser::default() }),
                1 => Change::Disable(name),
                2 => Change::Enable(name),
                3 => Change::Remove(name),
                _ => Change::SetPassword { name, hash: HASH.to_owned() },
            };
            match rewrite(&text, format, &change) {
                Ok(changed) => text = changed,
                Err(EditError::Unknown(_) | EditError::Exists(_)) => {}
                Err(error) => prop_assert!(false, "{error}: {change:?}\n{text}"),
            }
        }
    }
}

fn update_all(name: &str) -> Change {
    Change::Update(Update {
        name: name.to_owned(),
        hash: Some("$new$".to_owned()),
        roles: Some(vec!["reader".to_owned(), "staff".to_owned()]),
        home: Some(String::new()),
        groups: Some(vec!["ops".to_owned()]),
        email: Some("a@b.c".to_owned()),
        tag: Some("eu".to_owned()),
        disabled: Some(true),
        attributes: Some([("exec_user".to_owned(), "root".to_owned())].into()),
    })
}

fn set_role(name: &str) -> Change {
    Change::SetRole { name: name.to_owned(), grants: vec!["a:b".to_owned(), "c".to_owned()] }
}

#[test]
fn what_is_said_of_a_user_changes_at_once_and_nothing_else_does() {
    becomes(
        Format::Yaml,
        "- username: a # one\n  password: x\n  roles:\n    - old\n    - older\n  clusterTag: us # two\n- username: b\n",
        &update_all("a"),
        "- username: a # one\n  home: \"\"\n  groups: [\"ops\"]\n  email: \"a@b.c\"\n  disabled: true\n  attributes: {\"exec_user\":\"root\"}\n  passhash: \"$new$\"\n  roles:\n    [\"reader\", \"staff\"]\n  clusterTag: \"eu\" # two\n- username: b\n",
    );
    for (format, text) in [
        (Format::Yaml, "users: {a: {home: /x}, b: {}}\n"),
        (Format::Yaml, "- {username: a}\n- {username: b}\n"),
        (
            Format::Yaml,
            "users:\n  a:\n    password: x\n    passhash: y\n    attributes:\n      x: y\n  b: {}\n",
        ),
        (
            Format::Json,
            "[{\"username\": \"a\", \"attributes\": {\"x\": \"y\"}}, {\"username\": \"b\"}]",
        ),
        (
            Format::Toml,
            "[[users]]\nname = 'a'\ncluster_tag = 'x' # c\n[users.attributes]\nx = 'y'\n[[users]]\nname = 'b'\n",
        ),
        (Format::Toml, "[users.a]\npassword = 'x'\n[users.b]\n"),
    ] {
        let changed = rewrite(text, format, &update_all("a")).unwrap();
        let none = Change::Update(Update {
            name: "a".into(),
            roles: Some(Vec::new()),
            email: Some(String::new()),
            disabled: Some(false),
            attributes: Some(BTreeMap::new()),
            ..Update::default()
        });
        rewrite(&changed, format, &none).unwrap();
        rewrite(text, format, &none).unwrap();
    }
    becomes(
        Format::Htpasswd,
        "a:x\nb:y\n",
        &Change::Update(Update {
            name: "b".into(),
            hash: Some("$n$".into()),
            disabled: Some(true),
            ..Update::default()
        }),
        "a:x\nb:!$n$\n",
    );
    let ill = |update: Update| rewrite("- {username: a}\n", Format::Yaml, &Change::Update(update));
    let named = || Update { name: "a".into(), ..Update::default() };
    let home = ill(Update { home: Some("/a/../b".into()), ..named() });
    assert!(matches!(home, Err(EditError::Ill(_))));
    let hash = ill(Update { hash: Some("a b".into()), ..named() });
    assert!(matches!(hash, Err(EditError::Ill(_))));
    assert!(matches!(rewrite("a:x\n", Format::Htpasswd, &update_all("a")), Err(EditError::NoRoom)));
    assert!(matches!(ill(Update { name: "x".into(), ..named() }), Err(EditError::Unknown(_))));
}

#[test]
fn roles_of_a_file_are_set_and_removed() {
    let yaml = "# roles\nroles:\n  reader: [x] # r\n  writer:\n    - y\nusers:\n  - username: a\n";
    becomes(Format::Yaml, yaml, &set_role("reader"), &yaml.replace("[x]", "[\"a:b\", \"c\"]"));
    becomes(
        Format::Yaml,
        yaml,
        &Change::RemoveRole("reader".into()),
        "# roles\nroles:\n  writer:\n    - y\nusers:\n  - username: a\n",
    );
    for (format, text) in [
        (Format::Yaml, yaml),
        (Format::Yaml, "users: [{username: a}]\n"),
        (Format::Yaml, "users:\n  a: {}\nroles: {}\n"),
        (Format::Yaml, "users:\n  a: {}\nroles:\n"),
        (Format::Yaml, "roles: {z: [x]}\nusers: {a: {}}\n"),
        (Format::Json, "{\"users\": [{\"username\": \"a\"}], \"roles\": {\n  \"z\": []\n}}"),
        (Format::Json, "{\"users\": []}"),
        (Format::Toml, "[[users]]\nname = 'a'\n"),
        (Format::Toml, "[users.a]\n[roles]\nz = ['x']\n"),
    ] {
        let set = rewrite(text, format, &set_role("a role")).unwrap();
        let again = rewrite(&set, format, &set_role("reader")).unwrap();
        rewrite(&again, format, &Change::RemoveRole("a role".into())).unwrap();
        let unknown = rewrite(text, format, &Change::RemoveRole("no".into()));
        assert!(matches!(unknown, Err(EditError::UnknownRole(_))), "{text}");
    }
    let list = rewrite(YAML, Format::Yaml, &set_role("x"));
    assert!(matches!(list, Err(EditError::NoRoles)));
    assert!(matches!(rewrite("a:x\n", Format::Htpasswd, &set_role("x")), Err(EditError::NoRoom)));
    let ill = Change::SetRole { name: "x".into(), grants: vec!["a b".into()] };
    assert!(matches!(rewrite(yaml, Format::Yaml, &ill), Err(EditError::Ill(_))));
}
