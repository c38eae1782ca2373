//! Credentials: what proves a principal, and that nothing else does.

mod claim;
mod kind;
mod password;
mod token;

use crate::support::client::Response;

#[track_caller]
fn challenges(response: &Response) -> Vec<String> {
    response.all("www-authenticate").iter().map(|&challenge| challenge.to_owned()).collect()
}
