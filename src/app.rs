//! The composition root: builds the parts, wires them, and ends them in order.

pub mod notify;
