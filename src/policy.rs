//! What a principal may reach: decides, and explains why not.

pub mod home;
