//! `doorward completions`: a completion script for a shell.

use clap_complete::Shell;

use super::Answer;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell to complete for
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, mut command: clap::Command) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "doorward", &mut script);
    Answer::good(String::from_utf8_lossy(&script))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in Shell::value_variants() {
            let command = clap::Command::new("doorward").subcommand(clap::Command::new("explain"));

            let answer = run(&Arguments { shell: *shell }, command);

            assert!(answer.text.contains("explain"), "{shell}");
        }
    }
}
