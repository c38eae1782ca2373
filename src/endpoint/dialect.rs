//! The dialects, one a module: what each reads and what it writes. What is decided, the token
//! service decides.

mod password;
mod retry;
mod users;

pub mod ryft;
