//! Who somebody is: names in other spellings, verdicts carried over, second factors left out,
//! secrets that get out, files that are not there.

mod configuration;
mod context;
mod disclosure;
mod factor;
mod name;
mod server_name;

const PASSWORD: &str = "wonderland-of-alice";
