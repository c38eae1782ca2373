//! What the gateway remembers, on SQLite and on PostgreSQL: both do the same, lose nothing that
//! they have acknowledged, and come back by themselves.

mod away;
mod bounds;
mod contract;
mod crash;
mod nodes;
mod opening;
mod place;
mod second_factor;
