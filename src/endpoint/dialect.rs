//! The dialects, one a module: what each reads and what it writes. What is decided, the token
//! service decides.

mod noted;
mod object;
mod password;
mod retry;
mod spaced;
mod users;

pub mod appmesh;
pub mod jwthenticator;
pub mod omegaml;
pub mod ryft;
pub mod standard;
