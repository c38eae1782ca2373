//! The table of `docs/attacks.md`: no cell is empty, and every test that it names exists.
