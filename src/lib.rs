//! doorward: a reverse-proxy authentication gateway.
