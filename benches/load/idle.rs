//! Connections that made one request each and then say nothing, until a line comes on standard
//! input; then some are asked whether they still live.

use std::io::Write as _;

use serde_json::{Value, json};

use super::client::{Target, get};

/// Connections that are asked at the end.
const ASKED: usize = 100;
/// After so many failures it is given up.
const FAILURES: usize = 50;

pub(crate) fn run(target: &Target, connections: usize) -> Value {
    let request = get("/1k", &[]);
    let mut errors = 0;
    let mut open = Vec::with_capacity(connections);
    while open.len() < connections && errors < FAILURES {
        let opened = target.connect().and_then(|mut client| {
            client.exchange(&request)?;
            Ok(client)
        });
        match opened {
            Ok(client) => open.push(client),
            Err(_) => errors += 1,
        }
    }
    println!("{}", json!({ "open": open.len(), "errors": errors }));
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_line(&mut String::new()); // its end is as good
    let step = (open.len() / ASKED).max(1);
    let (mut asked, mut alive) = (0, 0);
    for client in open.iter_mut().step_by(step) {
        asked += 1;
        alive += usize::from(matches!(client.exchange(&request), Ok(200)));
    }
    json!({ "asked": asked, "alive": alive })
}
