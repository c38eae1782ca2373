//! README.md is true: every configuration in it loads, every recipe is run as it is printed, and
//! its tables say what the code does.

mod recipe;
mod tables;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use doorward::config::Config;

use self::recipe::{Kitchen, Recipe, is_like, recipes};
use crate::support::programs::available;

/// The text of a file of the repository.
fn repository(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[track_caller]
fn recipe(title: &str) -> Recipe {
    let found = recipes(&repository("README.md")).into_iter().find(|recipe| recipe.title == title);
    found.unwrap_or_else(|| panic!("README.md has no recipe {title:?}"))
}

/// Runs every transcript of a recipe, line by line.
#[track_caller]
fn cook(title: &str) {
    if !available("curl") {
        return;
    }
    let recipe = recipe(title);
    assert!(!recipe.transcript.is_empty(), "{title} has no transcript");

    let kitchen = Kitchen::open(&recipe);

    kitchen.cook(&recipe);
}

/// What the demonstration prints before it waits for Ctrl-C.
fn printed_by_demo() -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.args(["demo", "--port", "0"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut demo = command.stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(demo.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines = lines.take_while(|line| !line.starts_with("Ctrl-C")).collect();
    // Asked, not killed: it has files to remove.
    let interrupt = format!("kill -INT {}", demo.id());
    Command::new("sh").args(["-c", &interrupt]).status().unwrap();
    demo.wait().unwrap();
    lines
}

#[test]
fn the_demonstration_prints_what_the_first_screen_shows() {
    let readme = repository("README.md");
    let (_, shown) = readme.split_once("```text\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();

    let printed = printed_by_demo();

    let mut rest = printed.iter();
    for line in shown.lines() {
        assert!(rest.any(|printed| is_like(line, printed)), "{line}\n{printed:#?}");
    }
}

#[test]
fn every_configuration_loads_and_passes_check() {
    let recipes = recipes(&repository("README.md"));
    assert!(recipes.len() > 12, "{}", recipes.len());

    for recipe in recipes {
        let kitchen = Kitchen::prepare(&recipe);
        let loaded = Config::load(&kitchen.config(), std::iter::empty());
        assert!(loaded.is_ok(), "{}: {}", recipe.title, loaded.unwrap_err());
        kitchen.check(&recipe);
    }
}

#[test]
fn every_recipe_has_a_test() {
    let tests = include_str!("readme.rs");

    for recipe in recipes(&repository("README.md")) {
        let is_run = tests.contains(&format!("cook({:?})", recipe.title));
        assert!(is_run || recipe.transcript.is_empty(), "{} is not run", recipe.title);
    }
}

#[test]
fn the_common_configuration_works_as_printed() {
    cook("Recipes");
}

#[test]
fn homes_over_a_file_api_work_as_printed() {
    cook("Homes over a file API");
}

#[test]
fn the_home_as_the_root_works_as_printed() {
    cook("The home as the root");
}

#[test]
fn tokens_by_oauth_work_as_printed() {
    cook("Tokens by OAuth 2.0");
}

#[test]
fn ryfts_users_log_in_as_printed() {
    cook("ryft's users");
}

#[test]
fn app_meshs_clients_log_in_as_printed() {
    cook("App Mesh's clients");
}

#[test]
fn jwthenticators_machines_get_their_tokens_as_printed() {
    cook("JWThenticator's machines");
}

#[test]
fn omegamls_clients_log_in_as_printed() {
    cook("omegaml's clients");
}

#[test]
fn webdav_works_as_printed() {
    cook("WebDAV");
}

#[test]
fn names_in_the_body_work_as_printed() {
    cook("Names in the body");
}

#[test]
fn users_from_htpasswd_work_as_printed() {
    cook("Users from htpasswd");
}

#[test]
fn tokens_of_a_single_sign_on_work_as_printed() {
    cook("Tokens of a single sign-on");
}

#[test]
fn a_login_page_works_as_printed() {
    cook("A login page for browsers");
}

#[test]
fn the_users_of_clustercockpit_are_served_as_printed() {
    cook("ClusterCockpit's users");
}

#[test]
fn tokens_only_work_as_printed() {
    cook("Tokens only, for machines");
}

#[test]
fn everybody_reads_and_some_write_as_printed() {
    cook("Everybody reads, some write");
}

#[test]
fn being_behind_another_proxy_works_as_printed() {
    cook("Behind another proxy");
}

#[test]
fn websockets_work_as_printed() {
    cook("WebSocket");
}

#[test]
fn reload_and_rotation_work_as_printed() {
    cook("Reload, and rotate keys");
}

#[test]
fn a_refusal_is_explained_as_printed() {
    cook("Why was this refused?");
}

#[test]
fn who_is_locked_out_is_let_in_as_printed() {
    cook("Who is locked out?");
}

#[test]
fn the_proof_works_as_printed() {
    cook("Proof that nobody leaves their home");
}

#[test]
fn metrics_and_health_work_as_printed() {
    cook("Metrics, health, status");
}
