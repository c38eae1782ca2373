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

/// One [`Cell`] for each of a number of label values, in cache lines that hold nothing else: the
/// memory beside them may be another worker's.
#[derive(Debug)]
pub(super) struct Cells {
    lines: Box<[Line]>,
    count: usize,
}

const CELLS_PER_LINE: usize = 8;

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([Cell; CELLS_PER_LINE]);

impl Cells {
    pub(super) fn new(count: usize) -> Self {
        let lines = count.div_ceil(CELLS_PER_LINE);
        Self { lines: (0..lines).map(|_| Line::default()).collect(), count }
    }

    pub(super) fn of<L: Label>() -> Self {
        Self::new(L::NAMES.len())
    }

    /// The cell at `index`; a value out of range counts as the last one.
    pub(super) fn at(&self, index: usize) -> Option<&Cell> {
        let index = index.min(self.count.checked_sub(1)?);
        self.lines.get(index / CELLS_PER_LINE)?.0.get(index % CELLS_PER_LINE)
    }

    pub(super) fn increment(&self, index: usize) {
        if let Some(cell) = self.at(index) {
            cell.increment();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().flat_map(|line| &line.0).take(self.count).map(Cell::read)
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

    #[test]
    fn cells_fill_whole_cache_lines_and_show_only_themselves() {
        let cells = Cells::new(11);

        (0..11).for_each(|index| cells.increment(index));
        cells.increment(99);

        assert_eq!(cells.iter().collect::<Vec<_>>(), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
        assert_eq!(size_of::<Line>(), 64);
        Cells::new(0).increment(0);
    }
}
