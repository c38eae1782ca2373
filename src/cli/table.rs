//! Text in columns.

/// Aligns the cells of `rows`, two spaces apart, no space at the end of a line.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: Vec<usize> = (0..N)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            let missing = width.saturating_sub(cell.chars().count()) + 2;
            line.extend(std::iter::repeat_n(' ', missing));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_each_other_whatever_their_bytes() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);

        let text = columns(&[row(["é", "b", ""]), row(["long", "c", "d"])]);

        assert_eq!(text, "é     b\nlong  c  d\n");
    }
}
