//! `doorward probe upstream`: answers each request with what it received.

use std::io::{self, Write as _};
use std::net::SocketAddr;

use crate::cli::{Answer, Failure};
use crate::probe::recorder::Recorder;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// It cannot listen there.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {0}")]
struct Taken(SocketAddr, #[source] io::Error);

pub(super) async fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let bound = Recorder::bind(arguments.listen).await;
    let (listener, address) = bound.map_err(|error| Taken(arguments.listen, error))?;
    {
        let mut output = io::stdout().lock();
        // Whoever does not read the line may still use it.
        let _ = writeln!(output, "recording on http://{address}, until Ctrl-C");
        let _ = output.flush();
    }
    tokio::select! {
        () = Recorder::default().serve(listener) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(Answer::default())
}
