//! `doorward demo`: a gateway to try, with nothing to install and nothing left behind.
//!
//! The parts that know nothing of the gateway live here: [`FileApi`], an upstream like those that
//! people put behind doorward, and [`Scene`], which writes the command lines to paste.

mod file_api;
mod scene;

pub use file_api::FileApi;
pub use scene::Scene;
