use console::{Alignment, pad_str};

/// Rows of cells as lines with aligned columns, below a row of titles. Numbers are aligned by the caller.
pub(crate) fn table<const N: usize>(titles: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let titles = titles.map(str::to_owned);
    let all = || std::iter::once(&titles).chain(rows);
    let widths: [usize; N] = std::array::from_fn(|column| {
        let widths = all()
            .filter_map(|row| row.get(column))
            .map(|cell| console::measure_text_width(cell));
        widths.max().unwrap_or_default()
    });
    let line = |row: &[String; N]| {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| pad_str(cell, width, Alignment::Left, None));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_their_width_on_the_screen() {
        let rows = [
            ["Überm Meer".to_owned(), "1".to_owned()],
            ["日本".to_owned(), "22".to_owned()],
        ];
        assert_eq!(
            table(["name", "size"], &rows),
            ["name        size", "Überm Meer  1", "日本        22"]
        );
    }
}
