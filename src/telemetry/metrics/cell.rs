//! A number with one writer and any reader, and arrays of them by label.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A label whose values are known when the program is built.
pub trait Label: Copy {
    /// All values, in the order of [`Label::index`].
    const NAMES: &'static [&'static str];

    /// The place of this value in [`Label::NAMES`].
    fn index(self) -> usize;
}

/// A number that one thread changes and others read.
///
/// The owner's changes are a load and a store, not a locked addition: with two writers counts
/// would be lost, so a cell belongs to one thread.
#[derive(Debug, Default)]
pub struct Cell(AtomicU64);

impl Cell {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `amount`; wraps after 2^64.
    pub fn add(&self, amount: u64) {
        self.0.store(self.read().wrapping_add(amount), Relaxed);
    }

    /// Takes one away; never goes below zero.
    pub fn decrement(&self) {
        self.0.store(self.read().saturating_sub(1), Relaxed);
    }

    /// The value now.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// One [`Cell`] for each of a number of label values.
#[derive(Debug)]
pub(super) struct Cells(Box<[Cell]>);

impl Cells {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| Cell::default()).collect())
    }

    pub(super) fn of<L: Label>() -> Self {
        Self::new(L::NAMES.len())
    }

    /// The cell at `index`; a value out of range counts as the last one.
    pub(super) fn at(&self, index: usize) -> Option<&Cell> {
        self.0.get(index).or(self.0.last())
    }

    pub(super) fn increment(&self, index: usize) {
        if let Some(cell) = self.at(index) {
            cell.increment();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(Cell::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_counts_and_never_goes_below_zero() {
        let cell = Cell::default();

        cell.add(3);
        cell.increment();
        (0..9).for_each(|_| cell.decrement());

        assert_eq!(cell.read(), 0);
    }

    #[test]
    fn an_index_out_of_range_counts_as_the_last() {
        let cells = Cells::new(2);

        cells.increment(0);
        cells.increment(7);

        assert_eq!(cells.iter().collect::<Vec<_>>(), [1, 1]);
    }
}
