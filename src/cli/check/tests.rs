use std::fs;
use std::path::Path;

use super::*;
use crate::cli::certificate;
use crate::config::{KeySource, UserFormat};
use crate::directory::{self, DirectorySettings, Format};
use crate::password::Limits;
use crate::token::{self, Algorithm, Keyring};
use crate::user::{Grant, Roles};

fn arguments(config: &Path) -> Arguments {
    Arguments { config: config.to_owned(), strict: false, json: false }
}

fn check(args: &Arguments, build: impl FnOnce(&Config) -> Depth) -> (Verdict, String) {
    let mut out = Vec::new();
    let verdict = run(args, [], build, &mut out).unwrap();
    (verdict, String::from_utf8(out).unwrap())
}

#[expect(clippy::unnecessary_wraps, reason = "stands in for what may fail")]
fn nothing(_: &Config) -> Depth {
    Ok(Vec::new())
}

/// Loads keys and users as a start does.
fn build(config: &Config) -> Depth {
    let mut warnings = Vec::new();
    let mut errors = Vec::new();
    let mut roles = Roles::default();
    for role in &config.roles {
        let grants = role.permissions.iter().map(Grant::as_str);
        roles.define(&role.name, grants).unwrap();
    }
    for directory in &config.directories {
        let settings = DirectorySettings {
            name: directory.name.clone(),
            file: directory.file.clone(),
            format: match directory.format {
                UserFormat::Htpasswd => Format::Htpasswd,
                UserFormat::Json => Format::Json,
                UserFormat::Toml => Format::Toml,
                UserFormat::Yaml => Format::Yaml,
            },
            default_home: directory.default_home.clone(),
            default_roles: directory.default_roles.clone(),
        };
        let limits = Limits::with_memory(config.passwords.memory);
        match directory::load(&settings, &roles, limits, None) {
            Ok((loaded, more)) => {
                assert!(!loaded.is_empty());
                warnings.extend(more.iter().map(ToString::to_string));
            }
            Err(error) => errors.push(error.to_string()),
        }
    }
    for issuer in &config.issuers {
        if let KeySource::Path(path) = &issuer.keys
            && let Err(error) = Keyring::load(path)
        {
            errors.push(error.to_string());
        }
    }
    if errors.is_empty() { Ok(warnings) } else { Err(errors) }
}

/// A folder with the examples, and what a newcomer would make to go with them.
fn examples() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples");
    for entry in fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
    let certificate = certificate::self_signed(vec!["files.example.org".into()]).unwrap();
    write("cert.pem", certificate.chain.as_bytes());
    write("cert.key", certificate.key.as_bytes());
    fs::create_dir(folder.path().join("keys")).unwrap();
    write("keys/main.pem", &token::generate(Algorithm::EdDSA).unwrap().content);
    write("legacy.key", &token::generate(Algorithm::HS256).unwrap().content);
    folder
}

#[test]
fn every_example_is_good() {
    let folder = examples();

    let mut seen = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let (verdict, text) = check(&arguments(&path), build);
            assert_eq!(verdict, Verdict::Good, "{}\n{text}", path.display());
            seen.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    seen.sort();

    assert_eq!(
        seen,
        [
            "behind-another-proxy",
            "homes-over-a-file-api",
            "htpasswd-migration",
            "minimal",
            "ryft-server",
            "several-issuers",
        ]
    );
}

#[test]
fn the_passwords_of_the_examples_are_as_they_say() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples");
    for (file, names) in [
        ("users.yaml", &["alice", "bob", "carol"][..]),
        ("htpasswd", &["dora", "erik", "fred", "gina"]),
    ] {
        let settings = DirectorySettings {
            format: if file == "htpasswd" { Format::Htpasswd } else { Format::Yaml },
            ..DirectorySettings::of_file(&source.join(file))
        };
        let (loaded, _) =
            directory::load(&settings, &Roles::default(), Limits::with_memory(1 << 28), None)
                .unwrap();
        for name in names {
            let hash = loaded.get(name).unwrap().password.as_ref().unwrap().clone();
            assert!(hash.verify(format!("{name}-example").as_bytes()), "{name}");
        }
    }
}

#[test]
fn a_good_configuration_is_summarised() {
    let folder = examples();
    let path = folder.path().join("minimal.toml");

    let (verdict, text) = check(&arguments(&path), nothing);

    assert_eq!(verdict, Verdict::Good);
    let expected = "is good: 1 listener, 1 route, 1 upstream, 0 issuers, 1 directory; 0 warnings\n";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn a_missing_file_is_placed_where_it_is_named() {
    let folder = examples();
    fs::remove_file(folder.path().join("users.yaml")).unwrap();
    let path = folder.path().join("minimal.toml");

    let (verdict, text) = check(&arguments(&path), |_| panic!("must not be built"));

    assert_eq!(verdict, Verdict::Refused);
    let prefix = format!("error: {}:21:8: directories.users.file: cannot read `", path.display());
    assert!(text.starts_with(&prefix), "{text}");
    assert!(text.ends_with("is refused: 1 error, 0 warnings\n"), "{text}");
}

#[test]
fn what_building_finds_is_reported() {
    let folder = examples();
    let path = folder.path().join("minimal.toml");

    let (verdict, text) = check(&arguments(&path), |_| Err(vec!["a damaged key".into()]));
    assert_eq!(verdict, Verdict::Refused);
    assert!(text.starts_with("error: a damaged key\n"), "{text}");

    let odd = |_: &Config| Ok(vec!["a weak key".to_owned()]);
    let (verdict, text) = check(&arguments(&path), odd);
    assert_eq!(verdict, Verdict::Good);
    assert!(text.starts_with("warning: a weak key\n"), "{text}");

    let strict = Arguments { strict: true, ..arguments(&path) };
    let (verdict, _) = check(&strict, odd);
    assert_eq!(verdict, Verdict::Refused);
}

#[test]
fn keys_that_everybody_may_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = examples();
    let key = folder.path().join("cert.key");
    let path = folder.path().join("homes-over-a-file-api.toml");
    let exposed = format!(
        "warning: {}:10:45: listeners.main.tls.certificates[0].key: everybody on this machine may \
         read `{}`: chmod o-r\n",
        path.display(),
        key.display()
    );

    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(check(&arguments(&path), nothing).1.contains(&exposed));

    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(!check(&arguments(&path), nothing).1.contains(&exposed));
}

#[test]
fn private_keys_in_a_folder_that_everybody_may_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = examples();
    let path = folder.path().join("behind-another-proxy.toml");
    let key = folder.path().join("keys/main.pem");
    let set = |mode| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();

    set(0o644);
    let exposed =
        format!("issuers.local.keys: everybody on this machine may read `{}`", key.display());
    assert!(check(&arguments(&path), nothing).1.contains(&exposed));

    set(0o600);
    assert!(!check(&arguments(&path), nothing).1.contains(&exposed));
}

#[test]
fn a_secret_that_ends_in_a_newline_is_warned_of() {
    let folder = examples();
    fs::write(folder.path().join("legacy.key"), "0123456789abcdef0123456789abcdef\n").unwrap();

    let (verdict, text) = check(&arguments(&folder.path().join("several-issuers.toml")), nothing);

    assert_eq!(verdict, Verdict::Good);
    assert!(
        text.contains("issuers.legacy.secret: ") && text.contains("ends in a newline"),
        "{text}"
    );
    assert!(!text.contains("0123456789"), "{text}");
}

#[test]
fn json_has_a_place_for_each_finding() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    fs::write(&path, "[log]\nlevel = 7\n").unwrap();
    let args = Arguments { json: true, ..arguments(&path) };

    let (verdict, text) = check(&args, nothing);

    assert_eq!(verdict, Verdict::Refused);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["good"], false);
    let error = &report["errors"][0];
    assert_eq!((error["line"].as_u64(), error["column"].as_u64()), (Some(2), Some(9)));
    assert_eq!((error["key"].as_str(), error.get("variable")), (Some("log.level"), None));
}
