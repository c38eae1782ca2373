//! `doorward serve`: the gateway, until it is told to end.

use std::path::PathBuf;

use super::{Answer, Failure};
use crate::app::{self, Options};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(Arguments {}: &Arguments, config: PathBuf) -> Result<Answer, Failure> {
    app::run(&Options { config }, |_| ())?; // its log says what there is to say
    Ok(Answer::default())
}
