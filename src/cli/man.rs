//! `doorward man`: the manual pages.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{Answer, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Write a page for each command into this folder [default: print the first page]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write manual pages into `{}`", folder.display())]
struct Unwritable {
    folder: PathBuf,
    source: io::Error,
}

pub(super) fn run(arguments: &Arguments, command: clap::Command) -> Result<Answer, Failure> {
    let Some(folder) = &arguments.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return Ok(Answer::good(String::from_utf8_lossy(&page)));
    };
    let unwritable = |source| Unwritable { folder: folder.clone(), source };
    fs::create_dir_all(folder).map_err(unwritable)?;
    clap_mangen::generate_to(command, folder).map_err(unwritable)?;
    Ok(Answer::good(format!("wrote manual pages to {}\n", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> clap::Command {
        clap::Command::new("doorward").subcommand(clap::Command::new("explain").about("Says why"))
    }

    #[test]
    fn the_first_page_is_printed() {
        let answer = run(&Arguments { out: None }, command()).unwrap();

        assert!(answer.text.contains(".TH doorward 1"), "{}", answer.text);
    }

    #[test]
    fn each_command_gets_a_page_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let out = Some(folder.path().join("man1"));

        run(&Arguments { out }, command()).unwrap();

        let page = fs::read_to_string(folder.path().join("man1/doorward-explain.1")).unwrap();
        assert!(page.contains("Says why"), "{page}");
    }
}
