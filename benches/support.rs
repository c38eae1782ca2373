//! What benches stand on: a configuration with its users and keys, a gateway that serves it, an
//! upstream that only answers, and a client that only asks.

pub(crate) mod client;
pub(crate) mod gateway;
pub(crate) mod site;
pub(crate) mod upstream;
