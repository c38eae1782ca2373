use super::*;

fn load(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doorward.toml");
    std::fs::write(&path, text).unwrap();
    let prefix = format!("{}/", folder.path().display());
    Config::load(&path, []).map_err(|errors| errors.to_string().replace(&prefix, ""))
}

#[test]
fn the_least_is_enough() {
    let config = load(
        r#"
[listeners.main]
address = "127.0.0.1:0"
[upstreams.files]
url = "http://127.0.0.1:9000"
[routes.files]
upstream = "files"
[directories.users]
file = "users.yaml"
"#,
    )
    .unwrap();
    assert_eq!(config.routes[0].accept, [Accept::Basic]);
}
