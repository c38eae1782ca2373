//! The proof of isolation: generated attacks, sent raw, and a verdict on each from what the
//! upstream received.
//!
//! [`attack::generate`] writes the attacks of a [`Site`]: one user, another, and how the API
//! tells their homes apart. [`run::run`] sends them byte by byte ([`dial`], [`http1`],
//! [`http2`]). Upstream of the gateway stands a [`recorder`], or the real one with a secret in a
//! file of the other user; [`verdict`] judges what arrived by every [`reading`] that a server has
//! been seen to make. Nothing here uses the code that decides about requests, so that a mistake
//! of it is not made twice.

pub mod attack;
pub mod dial;
pub mod echo;
pub mod http1;
pub mod http2;
pub mod reading;
pub mod record;
pub mod recorder;
pub mod run;
pub mod site;
pub mod verdict;

pub use self::attack::{Attack, Family, generate};
pub use self::record::Record;
pub use self::recorder::Recorder;
pub use self::site::Site;
pub use self::verdict::Verdict;

/// The header field that tells to which attack a request belongs. No gateway has a reason to
/// change it.
pub const MARKER: &str = "Doorward-Probe";
