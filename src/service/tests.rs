//! The whole service over a store in a file.
