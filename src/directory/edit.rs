//! Changes to a file of users.
