//! What is refused, where, and in which words; what the environment does; what includes do.

use super::shape::Text;
use super::*;

mod documents;
mod refused;

/// Writes `files` into a folder and loads the first; errors name files without the folder.
fn load_files(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let prefix = format!("{}/", folder.path().display());
    Config::load(&folder.path().join(files[0].0), environment)
        .map_err(|errors| errors.to_string().replace(&prefix, ""))
}

fn load(text: &str) -> Result<Config, String> {
    load_files(&[("main.toml", text)], &[])
}

fn load_with(environment: &[(&str, &str)]) -> Result<Config, String> {
    load_files(&[("main.toml", BASE)], environment)
}

/// The least that serves something.
const BASE: &str = r#"[listeners.main]
address = "127.0.0.1:0"
[upstreams.files]
url = "http://127.0.0.1:9000"
[routes.files]
upstream = "files"
[directories.users]
file = "users.yaml"
"#;

#[test]
fn the_least_is_enough() {
    let config = load(BASE).unwrap();

    let route = &config.routes[0];
    assert_eq!(route.accept, [Accept::Basic]);
    assert_eq!((route.listeners.as_slice(), route.upstream), (&[0][..], 0));
    assert!(route.hosts.is_empty() && route.path.is_root());
    assert_eq!(route.methods.len(), 16);
    assert_eq!(config.listeners[0].protocols, [Protocol::Http1]);
    assert_eq!(config.upstreams[0].authority, "127.0.0.1:9000");
    assert_eq!(config.admin, Admin::Socket("127.0.0.1:9180".parse().unwrap()));
}

#[test]
fn tables_keep_the_order_of_the_file() {
    let config = load(&format!(
        "{BASE}[directories.zebra]\nfile = \"z.json\"\n[directories.ant]\nfile = \"a.toml\"\n"
    ))
    .unwrap();

    let names: Vec<_> = config.directories.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["users", "zebra", "ant"]);
}

#[test]
fn a_listener_overrides_single_limits() {
    let config = load(
        r#"
[limits]
header_timeout = "5s"
connections_per_address = 0
[listeners.main]
address = "127.0.0.1:0"
[listeners.main.limits]
header_count = 7
"#,
    )
    .unwrap();

    let limits = config.listeners[0].limits;
    assert_eq!(limits.header_timeout, std::time::Duration::from_secs(5));
    assert_eq!((limits.header_count, config.limits.header_count), (7, 100));
    assert_eq!(limits.connections_per_address, None);
}

#[test]
fn each_method_knows_what_it_demands() {
    let config = load(&BASE.replace(
        "[directories",
        r#"methods = ["GET", "HEAD", "PUT", "DELETE"]
permissions = { GET = "files:read", PUT = ["files:write", "files:quota"], "*" = [] }
[directories"#,
    ))
    .unwrap();

    let rules: Vec<_> = config.routes[0]
        .methods
        .iter()
        .map(|rule| {
            let permissions = rule.permissions.iter().map(crate::user::Permission::as_str);
            format!("{} {}", rule.method, permissions.collect::<Vec<_>>().join("+"))
        })
        .collect();
    assert_eq!(
        rules,
        ["GET files:read", "HEAD files:read", "PUT files:write+files:quota", "DELETE ",]
    );
}

#[test]
fn a_home_begins_at_the_path_of_its_route() {
    let config = load(&BASE.replace(
        "[directories",
        "path = \"/files\"\nhome = { in = [\"path\", \"query:dir\"], mode = \"rewrite\" }\n[directories",
    ))
    .unwrap();

    let home = config.routes[0].home.as_ref().unwrap();
    assert_eq!(home.root.as_str(), "/files");
    assert_eq!(home.places.len(), 2);
}

#[test]
fn paths_start_beside_the_file_they_stand_in() {
    let config = load_files(
        &[
            ("main.toml", &format!("include = [\"conf.d/*.toml\"]\n{BASE}")),
            ("conf.d/more.toml", "[directories.more]\nfile = \"more.yaml\"\n"),
        ],
        &[],
    )
    .unwrap();

    assert!(config.directories[1].file.ends_with("conf.d/more.yaml"));
    assert_eq!(config.files.len(), 2);
    assert!(config.include_folders[0].ends_with("conf.d"));
    assert!(config.watched().any(|path| path.ends_with("conf.d/more.yaml")));
}

#[test]
fn included_files_are_merged_in_the_order_of_their_names() {
    let config = load_files(
        &[
            (
                "main.toml",
                "include = [\"conf.d/*.toml\", \"last.toml\"]\n[log]\nlevel = \"warn\"\n",
            ),
            ("conf.d/20.toml", "[listeners.b]\naddress = \"127.0.0.1:2\"\n"),
            ("conf.d/10.toml", "[listeners.a]\naddress = \"127.0.0.1:1\"\n[log]\naccess = false\n"),
            ("conf.d/10.toml.bak", "not even TOML"),
            ("last.toml", "[listeners.c]\naddress = \"127.0.0.1:3\"\n"),
        ],
        &[],
    )
    .unwrap();

    let names: Vec<_> = config.listeners.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!((config.log.level, config.log.access), (LogLevel::Warn, false));
}

#[test]
fn includes_that_cannot_be_are_refused() {
    for (files, expected) in [
        (
            &[("main.toml", "include = [\"main.toml\"]")][..],
            "main.toml:1:12: include: `main.toml` is included twice, or by itself",
        ),
        (
            &[("main.toml", "include = [\"a.toml\"]"), ("a.toml", "include = [\"main.toml\"]")],
            "a.toml:1:12: include: `main.toml` is included twice, or by itself",
        ),
        (
            &[("main.toml", "include = [\"none.toml\"]")],
            "main.toml:1:12: include: cannot read `none.toml`: No such file or directory (os error 2)",
        ),
        (
            &[("main.toml", "include = [\"*/x.toml\"]")],
            "main.toml:1:12: include: may have `*` in the name of the file only, not of a folder",
        ),
        (
            &[("main.toml", "include = \"x.toml\"")],
            "main.toml:1:11: include: must be a list of strings in brackets, not a string",
        ),
        (
            &[("main.toml", "include = [\"a.toml\", 7]"), ("a.toml", "")],
            "main.toml:1:22: include[1]: must be a string in quotes, not an integer",
        ),
        (
            &[
                ("main.toml", "include = [\"a.toml\"]\n[log]\nlevel = \"warn\""),
                ("a.toml", "[log]\nlevel = \"info\""),
            ],
            "a.toml:2:1: log.level: is already set at main.toml:3:1: remove one",
        ),
        (
            &[
                ("main.toml", "include = [\"a.toml\"]\n[routes.x]\nupstream = \"u\""),
                ("a.toml", "[routes.x]\nupstream = \"v\""),
            ],
            "a.toml:1:9: routes.x: is already set at main.toml:2:9: remove one",
        ),
    ] {
        assert_eq!(load_files(files, &[]).unwrap_err(), expected);
    }
}

#[test]
fn files_may_not_include_each_other_without_end() {
    let names: Vec<_> = (0..12).map(|number| format!("{number}.toml")).collect();
    let texts: Vec<_> = (1..13).map(|number| format!("include = [\"{number}.toml\"]")).collect();
    let files: Vec<_> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();

    assert_eq!(load_files(&files, &[]).unwrap_err(), {
        "8.toml:1:12: include: is more than 8 files deep: include from fewer files"
    });
}

#[test]
fn the_environment_overrides_every_kind_of_key() {
    let config = load_with(&[
        ("DOORWARD_LISTENERS_MAIN_ADDRESS", "127.0.0.1:81"),
        ("DOORWARD_LIMITS_HEADER_TIMEOUT", "7s"),
        ("DOORWARD_LIMITS_CONNECTIONS", "9"),
        ("DOORWARD_LISTENERS_MAIN_LIMITS_HEADER_COUNT", "12"),
        ("DOORWARD_LOG_ACCESS", "false"),
        ("DOORWARD_ROUTES_FILES_METHODS", "GET, PUT"),
        ("DOORWARD_ROUTES_FILES_PERMISSIONS", r#"{ GET = "a", PUT = ["b", "c"] }"#),
        ("DOORWARD_ROLES_READER", r#"["files:read"]"#),
        ("DOORWARD_LISTENERS_SECOND_ADDRESS", "127.0.0.1:82"),
        ("DOORWARD_LISTENERS_SECOND_PROTOCOLS", r#"["http/1.1"]"#),
        ("DOORWARD_SERVER_REALM", "12"),
        ("DOORWARD_CONFIG", "/etc/doorward.toml"),
        ("PATH", "/bin"),
    ])
    .unwrap();

    let main = &config.listeners[0];
    assert_eq!(main.address.to_string(), "127.0.0.1:81");
    assert_eq!(main.limits.header_timeout.as_secs(), 7);
    assert_eq!((main.limits.connections.get(), main.limits.header_count), (9, 12));
    assert!(!config.log.access);
    assert_eq!(config.routes[0].methods[1].permissions.len(), 2);
    assert_eq!(config.roles[0].name, "reader");
    assert_eq!(config.listeners[1].name, "second");
    assert_eq!(config.server.realm, "12");
}

/// Every key of the file, as a variable spells it with tables called `main`.
fn variables(shape: &Shape, name: &str, all: &mut Vec<String>) {
    match shape {
        Shape::Keys(known) => {
            for known in known {
                let spelt = known.name.to_ascii_uppercase().replace('-', "_");
                variables(&known.shape, &format!("{name}_{spelt}"), all);
            }
        }
        Shape::Names(shape) if name.matches('_').count() == 1 => {
            variables(shape, &format!("{name}_MAIN"), all);
        }
        Shape::Text(Text::Secret) => all.extend([name.to_owned(), format!("{name}_FILE")]),
        Shape::Boolean
        | Shape::Either(_)
        | Shape::Integer
        | Shape::List(_)
        | Shape::Names(_)
        | Shape::Text(_)
        | Shape::Word(_) => all.push(name.to_owned()),
    }
}

#[test]
fn every_key_can_be_reached_by_the_environment_without_a_file() {
    let mut names = Vec::new();
    variables(&Shape::root(), "DOORWARD", &mut names);
    names.retain(|name| name != "DOORWARD_INCLUDE");

    let everything = names.iter().map(|name| (name.clone(), "?".to_owned()));
    let refused = Config::load(Path::new(""), everything).unwrap_err().to_string();

    assert!(names.len() > 120, "{}", names.len());
    assert!(!refused.contains("names no key") && !refused.contains("could mean"), "{refused}");
    assert!(refused.contains("environment variable DOORWARD_ENDPOINTS_MAIN_DIALECT"), "{refused}");
}

#[test]
fn the_environment_finds_names_with_dashes_and_underscores() {
    let text = BASE.replace("listeners.main", "listeners.main-tls_x");
    let config = load_files(
        &[("main.toml", &text)],
        &[("DOORWARD_LISTENERS_MAIN_TLS_X_ADDRESS", "[::1]:1")],
    )
    .unwrap();
    assert_eq!(config.listeners[0].address.to_string(), "[::1]:1");
    assert_eq!(config.listeners.len(), 1);

    let text = format!("{BASE}[listeners.main_extra]\naddress = \"127.0.0.1:0\"\n");
    let config = load_files(
        &[("main.toml", &text)],
        &[("DOORWARD_LISTENERS_MAIN_EXTRA_ADDRESS", "[::1]:1")],
    )
    .unwrap();
    assert_eq!(config.listeners[1].address.to_string(), "[::1]:1");
}

#[test]
fn a_secret_may_come_by_variable_by_file_and_by_reference() {
    let issuer = "[issuers.old]\nissuer = \"i\"\naudience = \"a\"\nalgorithms = [\"HS256\"]\n";
    let key = "0123456789abcdef0123456789abcdef";
    let secret = |text: &str, environment: &[(&str, &str)]| {
        let files = [("main.toml", text), ("hs.key", key)];
        let config = load_files(&files, environment).unwrap();
        let KeySource::Secret(secret) = &config.issuers[0].keys else { panic!("a secret") };
        assert_eq!(config.issuers[0].bound, Bound::Always);
        secret.expose().to_vec()
    };

    let plain = format!("{BASE}{issuer}");
    assert_eq!(secret(&plain, &[("DOORWARD_ISSUERS_OLD_SECRET", key)]), key.as_bytes());
    assert_eq!(secret(&plain, &[("DOORWARD_ISSUERS_OLD_SECRET_FILE", "hs.key")]), key.as_bytes());
    let reference = format!("{plain}secret = \"env:DOORWARD_HS\"\n");
    assert_eq!(secret(&reference, &[("DOORWARD_HS", key)]), key.as_bytes());
    let file = format!("{plain}secret = \"@hs.key\"\n");
    assert_eq!(secret(&file, &[]), key.as_bytes());
}

#[test]
fn variables_that_others_set_are_left_alone() {
    load_with(&[
        ("DOORWARD_PORT", "tcp://10.0.0.1:443"),
        ("DOORWARD_PORT_443_TCP_ADDR", "10.0.0.1"),
        ("DOORWARD_SERVICE_HOST", "10.0.0.1"),
        ("DOORWARD_ADMIN_SERVICE_PORT_METRICS", "9180"),
        ("DOORWARD_LOG", "debug"),
    ])
    .unwrap();
}

#[test]
fn variables_that_mean_nothing_are_refused() {
    for (name, value, expected) in [
        (
            "DOORWARD_LISTENRS_MAIN_ADDRESS",
            "x",
            "names no key: section `LISTENRS` is unknown; did you mean `LISTENERS`?",
        ),
        ("DOORWARD_LISTENERS_MAIN_ADRESS", "x", "names no key of its section"),
        (
            "DOORWARD_LOG_LEVEL",
            "loud",
            "log.level: `loud` is unknown; write `error`, `warn`, \
          `info`, `debug` or `trace`",
        ),
        ("DOORWARD_LOG_ACCESS", "yes", "log.access: must be `true` or `false`, not a string"),
        ("DOORWARD_LIMITS_CONNECTIONS", "many", {
            "limits.connections: must be a whole number, not a string"
        }),
        ("DOORWARD_LIMITS_CONNECTIONS", "-1", {
            "limits.connections: must be between 1 and 10000000"
        }),
        ("DOORWARD_LISTENERS_MAIN_TLS", "{ certificates", {
            "listeners.main.tls: is not a TOML value: "
        }),
        ("DOORWARD_ISSUERS_A_MAX_LIFETIME", "1h", {
            "could mean `issuers.a.max_lifetime` or `issuers.a_max.lifetime`: write it into the file"
        }),
        ("DOORWARD_INCLUDE", "x.toml", "include: can only be written into a file"),
        ("DOORWARD_LISTENERS", "x", "names no key: section `LISTENERS` is "),
    ] {
        let error = load_with(&[(name, value)]).unwrap_err();
        let expected = format!("environment variable {name}: {expected}");
        assert!(error.starts_with(&expected), "{error}\n{expected}");
    }
}

#[test]
fn oddities_are_warned_of() {
    for (text, expected) in [
        (BASE.to_owned(), "main.toml:5:9: routes.files: lets in everybody with a valid credential"),
        (BASE.replace("127.0.0.1:0", "0.0.0.0:0"), {
            "main.toml:2:11: listeners.main.address: speaks plain HTTP beyond this machine"
        }),
        (format!("{BASE}default_home = \"/all\"\n"), {
            "main.toml:9:16: directories.users.default_home: is one home for everybody"
        }),
        (BASE.replace("[directories", "home = { in = [\"form:a\"] }\n[directories"), {
            "routes.files.home.in: looks for `a` in forms and not in the query"
        }),
        (BASE.replace("[directories", "home = { inspect_limit = \"1KiB\" }\n[directories"), {
            "routes.files.home.inspect_limit: does nothing"
        }),
        (format!("{BASE}[admin]\naddress = \"0.0.0.0:1\"\n"), {
            "main.toml:10:11: admin.address: shows metrics and status beyond this machine"
        }),
        (format!("{BASE}[server]\ntrusted_proxies = [\"0.0.0.0/0\"]\n"), {
            "main.toml:10:20: server.trusted_proxies[0]: trusts what every client says"
        }),
        (format!("{BASE}[upstreams.spare]\nurl = \"http://h\"\n"), {
            "main.toml:9:12: upstreams.spare: no route leads here"
        }),
        ("[listeners.main]\naddress = \"127.0.0.1:0\"".to_owned(), {
            "main.toml:1:1: has no route: every request is answered 404"
        }),
    ] {
        let config = load(&text).unwrap();
        let warnings: Vec<_> = config.warnings.iter().map(ToString::to_string).collect();
        assert!(warnings.iter().any(|one| one.contains(expected)), "{expected}\n{warnings:#?}");
    }
}

#[test]
fn no_damage_makes_it_panic() {
    let reference = include_str!("../../config/doorward.toml");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.toml");
    let mut refused = 0;
    for step in 0..100 {
        let at = step * reference.len() / 100;
        let (before, after) = (&reference.as_bytes()[..at], &reference.as_bytes()[at..]);
        for middle in [&b""[..], b"\"", b"[", b"\xff", b"\0", b"= {", b"\n[[listeners]]\n"] {
            let whole = [before, middle, if middle.is_empty() { b"" } else { after }].concat();
            std::fs::write(&path, whole).unwrap();
            refused += u32::from(Config::load(&path, []).is_err());
        }
    }
    assert!(refused > 250, "{refused}");
}

#[test]
fn every_mistake_is_reported_in_the_order_of_the_file() {
    let error = load(
        "[log]\nlevel = \"loud\"\nacces = true\n[listeners.main]\naddress = 8443\n[server]\ngrace = 30\n",
    )
    .unwrap_err();

    let lines: Vec<_> = error.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(lines, ["main.toml:2:9", "main.toml:3:1", "main.toml:5:11", "main.toml:7:9"]);
}
