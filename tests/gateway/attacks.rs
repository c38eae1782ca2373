//! What went wrong in gateways of this kind, class by class (`docs/attacks.md` says which test is
//! about which): generated spellings of each attack, and an upstream that is not reached.

mod authentication;
mod catalogue;
mod exchange;
mod framing;
mod h2spec;
mod header_trust;
mod path_confusion;
mod resources;
mod spelling;
mod tokens;
