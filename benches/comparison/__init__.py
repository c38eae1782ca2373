"""What `benches/compare` is made of: see benches/README.md for the method."""
