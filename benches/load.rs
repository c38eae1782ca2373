//! The load that `benches/compare` needs beside wrk and h2load: a fixed rate, handshakes,
//! connections that stay and say nothing. Blocking sockets and one thread a connection, or a few:
//! what is measured is the other side.
//!
//! Prints one line of JSON. `ADDRESS` is loopback; `CERTIFICATE` a PEM file, or `-` for plain HTTP.
//!
//! ```text
//! load rate ADDRESS CERTIFICATE PATH PER_SECOND SECONDS CONNECTIONS [FIELD...]
//! load handshake ADDRESS CERTIFICATE full|resumed SECONDS THREADS
//! load idle ADDRESS CERTIFICATE CONNECTIONS          a line on stdin ends it
//! ```

#![expect(clippy::unwrap_used, reason = "a bench whose surroundings are broken may end")]
#![expect(clippy::print_stdout, reason = "what was measured is told to whoever asked")]

#[path = "load/client.rs"]
mod client;
#[path = "load/handshake.rs"]
mod handshake;
#[path = "load/idle.rs"]
mod idle;
#[path = "load/rate.rs"]
mod rate;

use std::process::ExitCode;

use self::client::Target;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let told = match words.as_slice() {
        ["rate", address, certificate, path, per_second, seconds, connections, fields @ ..] => {
            let target = Target::new(address, certificate, false);
            let pace = rate::Pace {
                per_second: per_second.parse().unwrap(),
                seconds: seconds.parse().unwrap(),
                connections: connections.parse().unwrap(),
            };
            rate::run(&target, &client::get(path, fields), &pace)
        }
        ["handshake", address, certificate, kind, seconds, threads] => {
            let target = Target::new(address, certificate, *kind == "resumed");
            handshake::run(&target, seconds.parse().unwrap(), threads.parse().unwrap())
        }
        ["idle", address, certificate, connections] => {
            let target = Target::new(address, certificate, false);
            idle::run(&target, connections.parse().unwrap())
        }
        _ => return ExitCode::from(2), // also what `cargo bench` comes with
    };
    println!("{told}");
    ExitCode::SUCCESS
}
