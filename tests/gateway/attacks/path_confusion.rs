//! Paths, hosts and targets that two readers read differently (section P).
