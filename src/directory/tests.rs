use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::password::Family;
use crate::user::Permission;

/// `admin` and `test`, from ryft-server's sample users file.
const ADMIN: &str = "$2a$10$ewLPM0A4RJq3iUkMR7FbGep0KxV.JgbeMNeJx0cha.zPb1bZpGlRe";
const TEST: &str = "$2a$10$tNa9u2ueO2Q4cKiIXCtvWuikwI8lfST04FK6cqTwG5FITIlt7yaC.";

struct Loaded {
    directory: Directory,
    warnings: Vec<String>,
}

fn settings(folder: &TempDir, name: &str, text: &str) -> DirectorySettings {
    let file = folder.path().join(name);
    fs::write(&file, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    DirectorySettings::of_file(&file)
}

fn load_with(settings: &DirectorySettings, roles: &Roles) -> Result<Loaded, String> {
    let (directory, warnings) =
        load(settings, roles, Limits::default(), None).map_err(|error| {
            error
                .to_string()
                .replace(&format!("{}/", settings.file.parent().unwrap().display()), "")
        })?;
    let warnings = warnings
        .iter()
        .map(|warning| {
            let user = warning.user.as_deref().map(|user| format!("{user}: ")).unwrap_or_default();
            format!("{user}{}", warning.message)
        })
        .collect();
    Ok(Loaded { directory, warnings })
}

fn load_text(name: &str, text: &str) -> Result<Loaded, String> {
    let folder = TempDir::new().unwrap();
    load_with(&settings(&folder, name, text), &Roles::default())
}

fn demand(text: &str) -> Permission {
    text.parse().unwrap()
}

#[test]
fn the_files_of_ryft_are_read_as_they_are() {
    let yaml = format!(
        "- username: \"admin\"\n  passhash: \"{ADMIN}\"\n  roles: [admin, user]\n  home: \"/\"\n  \
         cluster-tag: one\n- username: test\n  passhash: {TEST}\n  home: ryftone\n  clusterTag: two\n"
    );
    let json = format!(
        "[\n {{\"username\": \"admin\", \"password\": \"\", \"passhash\": \"{ADMIN}\", \"roles\": \
         [\"admin\", \"user\"], \"home\": \"/\", \"cluster-tag\": \"one\"}},\n {{\"username\": \
         \"test\", \"passhash\": \"{TEST}\", \"home\": \"/ryftone\", \"clusterTag\": \"two\"}}\n]"
    );
    for (name, text) in [("users.yaml", yaml.clone()), ("users.JSON", json), ("users.yml", yaml)] {
        let Loaded { directory, warnings } = load_text(name, &text).unwrap();

        let admin = directory.get("admin").unwrap();
        assert!(admin.password.as_ref().unwrap().verify(b"admin"));
        assert!(admin.home.as_ref().unwrap().is_root());
        assert_eq!(admin.tag.as_deref(), Some("one"));
        assert_eq!(admin.roles, ["admin".into(), "user".into()]);
        let test = directory.get("test").unwrap();
        assert!(test.password.as_ref().unwrap().verify(b"test"));
        assert_eq!(test.home.as_ref().unwrap().as_str(), "/ryftone");
        assert_eq!(test.tag.as_deref(), Some("two"));
        assert!(!test.disabled && test.permissions.is_empty());
        assert_eq!(directory.decoy().family(), Family::Bcrypt);
        assert_eq!(
            warnings,
            [
                "admin: unknown role `admin` has no permissions",
                "admin: unknown role `user` has no permissions"
            ]
        );
        assert!(directory.get("Admin").is_none() && directory.get("admin ").is_none());
    }
}

#[test]
fn every_format_says_the_same() {
    let yaml = "users:\n  alice:\n    passhash: '$5$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC'\n    roles: reader\n    permissions: [\"admin:*\"]\n    home: /home/alice\n    email: a@example.org\n    groups: [staff]\n    disabled: true\n    attributes: {room: '12'}\nroles:\n  reader: [files:read]\n";
    let toml = "[[users]]\nname = 'alice'\npasshash = '$5$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC'\nroles = ['reader']\npermissions = ['admin:*']\nhome = '/home/alice'\nemail = 'a@example.org'\ngroups = ['staff']\ndisabled = true\nattributes.room = '12'\n\n[roles]\nreader = ['files:read']\n";
    let table = "[users.alice]\npasshash = '$5$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC'\nroles = ['reader']\npermissions = ['admin:*']\nhome = '/home/alice'\nemail = 'a@example.org'\ngroups = ['staff']\ndisabled = true\nattributes.room = '12'\n[roles]\nreader = ['files:read']\n";
    let json = r#"{"users": [{"name": "alice", "passhash": "$5$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC",
        "roles": ["reader"], "permissions": "admin:*", "home": "/home/alice", "email": "a@example.org",
        "groups": ["staff"], "disabled": true, "attributes": {"room": "12"}}], "roles": {"reader": ["files:read"]}}"#;
    let files = [("u.yaml", yaml), ("u.toml", toml), ("t.toml", table), ("u.json", json)];
    for (name, text) in files {
        let Loaded { directory, warnings } = load_text(name, text).unwrap();

        let alice = directory.get("alice").unwrap();
        assert!(alice.password.as_ref().unwrap().verify(b"correct horse"), "{name}");
        assert!(alice.disabled);
        assert!(alice.permissions.grants(&demand("files:read")));
        assert!(alice.permissions.grants(&demand("admin:all")));
        assert!(!alice.permissions.grants(&demand("files:write")));
        assert_eq!(alice.home.as_ref().unwrap().as_str(), "/home/alice");
        assert_eq!(alice.email.as_deref(), Some("a@example.org"));
        assert_eq!(alice.groups, ["staff".into()]);
        assert_eq!(alice.attributes.get("room").map(|value| &**value), Some("12"));
        assert_eq!((directory.len(), warnings), (1, Vec::new()), "{name}");
    }
}

#[test]
fn htpasswd_files_are_read() {
    let text = format!(
        "# people\r\n\r\nalice:{{SHA}}L55TUjtiq8FBorTWAZ0jy6g129A=\r\n  # indented\nbob:{ADMIN}:ignored: too\ncarol:\nDave:!{TEST}\n"
    );
    let Loaded { directory, warnings } = load_text("users.htpasswd", &text).unwrap();

    let names: Vec<&str> = directory.users().map(|user| &*user.name).collect();
    assert_eq!(names, ["alice", "bob", "carol", "Dave"]);
    assert!(directory.get("alice").unwrap().password.as_ref().unwrap().verify(b"correct horse"));
    assert!(directory.get("bob").unwrap().password.as_ref().unwrap().verify(b"admin"));
    assert!(directory.get("carol").unwrap().password.is_none());
    let dave = directory.get("Dave").unwrap();
    assert!(dave.disabled && dave.password.is_some());
    assert_eq!(directory.decoy().family(), Family::Bcrypt);
    assert!(warnings[0].contains("quickly guessed") && warnings[0].contains("`alice`"));
    assert!(warnings[1].contains("2 different costs"), "{warnings:?}");
}

#[test]
fn a_mistake_is_refused_with_its_place() {
    let cases = [
        ("u.yaml", "- username: a\n  hone: /a\n", "u.yaml:2:3: unknown key `hone`; there are"),
        ("u.yaml", "- username: a\n- username: a\n", "u.yaml:2:3: user `a` stands twice"),
        ("u.yaml", "- home: /a\n", "u.yaml:1:3: an entry without `username`"),
        ("u.yaml", "- username: ' a'\n", "u.yaml:1:13: a user name that begins or ends"),
        ("u.yaml", "- username: ''\n", "u.yaml:1:13: an empty user name"),
        ("u.yaml", "- username: a\n  home: /a/../b\n", "u.yaml:2:9: home: "),
        ("u.yaml", "- username: a\n  roles: {a: b}\n", "u.yaml:2:10: expected a list, found a map"),
        ("u.yaml", "- username: a\n  permissions: ['a b']\n", "u.yaml:2:17: a permission holds"),
        ("u.yaml", "- username: a\n  disabled: maybe\n", "u.yaml:2:13: expected true or false"),
        (
            "u.yaml",
            "- username: a\n  cluster-tag: x\n  clusterTag: y\n",
            "u.yaml:3:3: a second cluster",
        ),
        ("u.yaml", "- username: a\n  home: /a\n  home: /\n", "u.yaml:3:3: a key that stands twice"),
        (
            "u.yaml",
            "people: []\n",
            "u.yaml:1:1: unknown key `people`; there are `users` and `roles`",
        ),
        ("u.yaml", "users: {a: {username: b}}\n", "u.yaml:1:13: a second name"),
        ("u.yaml", "roles: {r: ['*x']}\n", "u.yaml:1:13: a `*` stands only"),
        ("u.yaml", "- alice\n", "u.yaml:1:3: expected a map, found a text"),
        ("u.yaml", "hello", "u.yaml:1:1: expected a list, found a text"),
        ("u.yaml", "- username: [\n", "u.yaml:1:13: not valid YAML here"),
        ("u.json", "[{\"username\": \"a\", \"homes\": \"/\"}]", "u.json:1:20: unknown key `homes`"),
        ("u.json", "[{\"username\": 5}]", "u.json:1:15: expected a text, found a number"),
        ("u.json", "[\n{]", "u.json:2:2: not valid JSON here"),
        ("u.toml", "[[users]]\nname = 'a'\nx = 1\n", "u.toml:3:1: unknown key `x`"),
        ("u.toml", "[[users]]\nname = 5\n", "u.toml:2:8: expected a text, found a number"),
        ("u.toml", "[[users]\n", "u.toml:1:"),
        ("htpasswd", "# x\nalice\n", "htpasswd:2:1: expected `name:hash`"),
        ("htpasswd", "a:x\na:y\n", "htpasswd:2:1: user `a` stands twice"),
        ("htpasswd", ":x\n", "htpasswd:1:1: an empty user name"),
    ];
    for (name, text, expected) in cases {
        let error = load_text(name, text).err().unwrap_or_else(|| panic!("accepted: {text}"));
        assert!(error.starts_with(expected), "{text}\n  {error}\n  {expected}");
    }
}

#[test]
fn no_error_and_no_warning_holds_a_secret() {
    let secret = "hunter2hunter2";
    let texts = [
        ("u.yaml", format!("- username: a\n  password: [{secret}]\n")),
        ("u.yaml", format!("- username: a\n  password: {secret}\n  passhash: {secret}\n")),
        ("u.yaml", format!("- username: a\n  passhash: $2b$10${secret}\n  bogus: 1\n")),
        ("u.yaml", format!("- username: a\n  password: \"{secret}\n")),
        ("u.yaml", format!("- username: a\n  $2b${secret}: x\n")),
        ("u.yaml", format!("- username: a\n  password: *{secret}\n")),
        ("u.yaml", format!("- username: a\n  password: !{secret} x\n")),
        ("u.yaml", format!("- username: a\n  disabled: {secret}\n")),
        ("u.json", format!("[{{\"username\": \"a\", \"password\": {secret}}}]")),
        ("u.json", format!("[{{\"username\": \"a\", \"passhash\": \"{secret}\"}}]")),
        ("u.json", format!("[\"{secret}\"]")),
        ("u.toml", format!("[[users]]\nname = 'a'\npassword = '{secret}\n")),
        ("u.toml", format!("[[users]]\nname = 'a'\npassword = {secret}\n")),
        ("u.toml", format!("[[users]]\nname = 'a'\npassword = '{secret}'\n")),
        ("htpasswd", format!("{secret}\n")),
        ("htpasswd", format!("a:{secret}\n")),
    ];
    for (name, text) in texts {
        let said = match load_text(name, &text) {
            Ok(loaded) => {
                assert!(!format!("{:?}", loaded.directory).contains(secret), "{text}");
                loaded.warnings.join("\n")
            }
            Err(error) => error,
        };
        assert!(!said.is_empty() && !said.contains("hunter"), "{text}\n{said}");
    }
}

#[test]
fn a_damaged_hash_disables_its_user_alone() {
    let text = format!("bob:{}\nalice:{ADMIN}\neve:$2b$31${}\n", &ADMIN[..50], &ADMIN[7..]);
    let Loaded { directory, warnings } = load_text("htpasswd", &text).unwrap();

    for name in ["bob", "eve"] {
        let user = directory.get(name).unwrap();
        assert!(user.disabled && user.password.is_none());
    }
    assert!(!directory.get("alice").unwrap().disabled);
    assert_eq!(warnings[0], "bob: disabled: damaged bcrypt hash: not 60 characters long");
    assert!(warnings[1].starts_with("eve: disabled: bcrypt hash asks for more"), "{warnings:?}");
}

#[test]
fn plaintext_counts_only_without_a_hash_and_warns() {
    let text = format!(
        "- {{username: a, password: pa, passhash: ''}}\n- {{username: b, password: pb, passhash: {ADMIN}}}\n- {{username: c, password: ''}}\n- {{username: d, password: 0123}}\n"
    );
    let Loaded { directory, warnings } = load_text("u.yaml", &text).unwrap();

    assert!(directory.get("a").unwrap().password.as_ref().unwrap().verify(b"pa"));
    assert!(!directory.get("b").unwrap().password.as_ref().unwrap().verify(b"pb"));
    assert!(directory.get("c").unwrap().password.is_none());
    assert!(directory.get("d").unwrap().password.as_ref().unwrap().verify(b"0123"));
    assert_eq!(warnings[0], "plaintext passwords: `a`, `b`, `d`; replace them by hashes");
}

#[test]
fn an_empty_file_has_no_users_and_a_missing_one_is_an_error() {
    for name in ["u.yaml", "u.json", "u.toml", "htpasswd"] {
        let Loaded { directory, warnings } = load_text(name, "").unwrap();
        assert!(directory.is_empty());
        assert_eq!(warnings, ["no users"]);
        assert_eq!(directory.decoy().family(), Family::Argon2id);
    }
    let missing = DirectorySettings::of_file(Path::new("/nowhere/users.yaml"));
    assert!(load_with(&missing, &Roles::default()).err().unwrap().contains("cannot be read"));
    let folder = TempDir::new().unwrap();
    let itself = DirectorySettings::of_file(folder.path());
    assert!(load(&itself, &Roles::default(), Limits::default(), None).is_err());
}

#[test]
fn defaults_fill_what_entries_leave_out() {
    let folder = TempDir::new().unwrap();
    let text = "- username: alice\n- {username: bob, home: '', roles: [x]}\n- {username: c/d}\n- {username: '..'}\n- {username: é f, home: /e}\n- {username: é f g}\n";
    let mut settings = settings(&folder, "u.yaml", text);
    settings.default_home = Some("/home/{name}".to_owned());
    settings.default_roles = vec!["reader".to_owned()];
    let mut roles = Roles::default();
    roles.define("reader", ["files:read"]).unwrap();

    let Loaded { directory, warnings } = load_with(&settings, &roles).unwrap();

    let home = |name: &str| {
        directory.get(name).unwrap().home.as_ref().map(|home| home.as_str().to_owned())
    };
    assert_eq!(home("alice").as_deref(), Some("/home/alice"));
    assert_eq!(home("é f g").as_deref(), Some("/home/%C3%A9%20f%20g"));
    assert_eq!(home("é f").as_deref(), Some("/e"));
    assert_eq!((home("c/d"), home("..")), (None, None));
    assert!(directory.get("alice").unwrap().permissions.grants(&demand("files:read")));
    assert!(directory.get("bob").unwrap().permissions.is_empty());
    assert_eq!(home("bob"), None, "spelled out as empty");
    assert_eq!(warnings.iter().filter(|warning| warning.contains("has no home")).count(), 2);
}

#[test]
fn roles_are_defined_once() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder, "u.yaml", "users: []\nroles:\n  reader: [files:read]\n");
    let mut roles = Roles::default();
    roles.define("reader", ["files:*"]).unwrap();
    let error = load_with(&settings, &roles).err().unwrap();
    assert_eq!(error, "u.yaml:3:3: role `reader` is defined twice");
}

#[cfg(unix)]
#[test]
fn a_file_that_all_may_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder, "htpasswd", &format!("a:{ADMIN}\n"));
    fs::set_permissions(&settings.file, fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = load_with(&settings, &Roles::default()).unwrap().warnings;
    assert!(warnings[0].contains("chmod o-r"), "{warnings:?}");
}

#[test]
fn a_file_that_is_not_utf8_is_refused() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder, "u.yaml", "");
    fs::write(&settings.file, b"- username: a\n- username: \xff\n").unwrap();
    let error = load_with(&settings, &Roles::default()).err().unwrap();
    assert_eq!(error, "u.yaml:2:13: not UTF-8 here");
}

#[test]
fn many_warnings_are_counted() {
    let names: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let text = names.join(
        ":x
",
    ) + ":x
";
    let warnings = load_text("htpasswd", &text).unwrap().warnings;
    assert_eq!(warnings.len(), 51);
    assert!(warnings.iter().any(|warning| warning == "150 more warnings about users"));
}

proptest! {
    #[test]
    fn no_file_makes_the_loader_panic(
        lines in prop::collection::vec(
            prop::sample::select(vec![
                "- username: a", "  passhash: $2b$", "users:", "roles:", "  home: /é/..", "[[users]]",
                "name = 'a'", "[roles]", "[", "{\"users\":", "[{\"name\": \"b\"", "}]", "}", "a:b:c", "#",
                "\u{0}", "  disabled: yes", "\"", "'", "- ", ":", "attributes.x = 1", "\u{feff}",
            ]),
            0..8,
        ),
        separator in prop::sample::select(vec!["\n", "", " ", "\r\n"]),
    ) {
        let text = lines.join(separator);
        for format in [Format::Yaml, Format::Json, Format::Toml, Format::Htpasswd] {
            if let Err(fault) = entry::parse(&text, format) {
                prop_assert!(!fault.at(Path::new("u"), &text).to_string().is_empty());
            }
        }
    }
}
