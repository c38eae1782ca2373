//! Headers that a client must not be able to speak through (section H).
