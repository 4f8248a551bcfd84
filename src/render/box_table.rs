//! DuckDB's box: names and types in the head, numbers to the right, the middle of a long table left out.

use comfy_table::{Cell, CellAlignment, Table as Grid};

use super::{Column, Limits, Table, is_number};

/// Borders in DuckDB's style: no lines between rows.
const BORDERS: &str = "││──├─┼┤│    ┬┴┌┐└┘";
/// Longest cell before it is cut.
const CELL: usize = 120;
/// Longest name of a type before it is cut.
const TYPE: usize = 40;
/// From this many rows on, a box tells how many there are.
const COUNTED: usize = 10;

pub fn draw(table: &Table, limits: Limits) -> String {
    let total = table.rows();
    // DuckDB leaves the middle out only when that makes the table shorter.
    let is_cut = total > limits.rows + 3;
    let half = limits.rows / 2;
    let shown: Vec<usize> = if is_cut { (0..half).chain(total - (limits.rows - half)..total).collect() } else { (0..total).collect() };
    let longest = limits.width.map_or(CELL, |width| CELL.min(width.saturating_sub(10)));
    let cells: Vec<Vec<String>> =
        (shown.iter()).map(|&row| (0..table.columns.len()).map(|column| cell(table.text(row, column), longest)).collect()).collect();
    let widths: Vec<usize> =
        (0..table.columns.len()).map(|at| column_width(&table.columns[at], cells.iter().map(|row| &row[at]))).collect();
    let columns = columns_that_fit(&widths, limits.width);
    let hidden = table.columns.len() - columns.iter().flatten().count();

    let mut grid = Grid::new();
    grid.load_preset(BORDERS).force_no_tty();
    grid.set_header(columns.iter().map(|column| match column {
        Some(at) => {
            let (name, type_name) = head(&table.columns[*at]);
            Cell::new(format!("{}\n{}", centre(&name, widths[*at]), centre(&type_name, widths[*at])))
        }
        None => Cell::new("…"),
    }));
    for (at, row) in cells.iter().enumerate() {
        if is_cut && at == half {
            for _ in 0..3 {
                grid.add_row(columns.iter().map(|column| Cell::new(centre("·", column.map_or(1, |at| widths[at])))));
            }
        }
        grid.add_row(columns.iter().map(|column| match column {
            Some(at) => {
                let side = if is_number(&table.columns[*at].type_name) { CellAlignment::Right } else { CellAlignment::Left };
                Cell::new(&row[*at]).set_alignment(side)
            }
            None => Cell::new("…"),
        }));
    }
    let mut text = grid.to_string();
    text.push('\n');
    if total == 0 {
        return with_footer(&text, "0 rows", "");
    }
    if total >= COUNTED || hidden > 0 {
        let rows = if is_cut { format!("{total} rows ({} shown)", shown.len()) } else { format!("{total} {}", plural(total, "row")) };
        let count = table.columns.len();
        let names =
            if hidden > 0 { format!("{count} columns ({} shown)", count - hidden) } else { format!("{count} {}", plural(count, "column")) };
        return with_footer(&text, &rows, &names);
    }
    text
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.into() } else { format!("{word}s") }
}

/// Name and type of a column, as its head shows them.
fn head(column: &Column) -> (String, String) {
    (single_line(&column.name), short(&column.type_name, TYPE))
}

fn column_width<'a>(column: &Column, cells: impl Iterator<Item = &'a String>) -> usize {
    let (name, type_name) = head(column);
    let head = name.chars().count().max(type_name.chars().count());
    cells.map(|text| text.chars().count()).fold(head, usize::max)
}

/// In the middle of `width`; what does not divide goes to the right, as in DuckDB.
fn centre(text: &str, width: usize) -> String {
    let room = width.saturating_sub(text.chars().count());
    format!("{}{text}{}", " ".repeat(room / 2), " ".repeat(room - room / 2))
}

fn cell(text: Option<String>, longest: usize) -> String {
    short(&single_line(text.as_deref().unwrap_or("NULL")), longest)
}

/// Text that breaks no box: line ends and tabs are written out.
fn single_line(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t").chars().filter(|c| !c.is_control()).collect()
}

fn short(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.into();
    }
    text.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

/// The columns to show, from both ends; `None` stands for those left out of the middle.
fn columns_that_fit(widths: &[usize], width: Option<usize>) -> Vec<Option<usize>> {
    let count = widths.len();
    let all = (0..count).map(Some).collect();
    let Some(width) = width else { return all };
    // Each column takes its text, a border and two spaces.
    let widths: Vec<usize> = widths.iter().map(|text| text + 3).collect();
    if widths.iter().sum::<usize>() < width {
        return all;
    }
    let (mut first, mut last, mut used) = (0, count, 5);
    loop {
        let from_front = first <= count - last;
        let next = if from_front { first } else { last - 1 };
        if first == last || used + widths[next] >= width && first > 0 {
            break;
        }
        used += widths[next];
        if from_front { first += 1 } else { last -= 1 }
    }
    (0..first).map(Some).chain([None]).chain((last..count).map(Some)).collect()
}

/// Replaces the bottom line by one that closes the columns, and a line of counts below it.
fn with_footer(text: &str, left: &str, right: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let Some((bottom, rest)) = lines.split_last() else { return text.into() };
    let inner = bottom.chars().count().saturating_sub(4);
    let gap = inner.saturating_sub(left.chars().count() + right.chars().count());
    if gap == 0 && !right.is_empty() || left.chars().count() > inner {
        let counts = [left, right].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("  ");
        return format!("{text}{counts}\n");
    }
    let closed = bottom.replace('└', "├").replace('┘', "┤");
    let line = "─".repeat(inner + 2);
    format!("{}\n{closed}\n│ {left}{}{right} │\n└{line}┘\n", rest.join("\n"), " ".repeat(gap))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, RecordBatch, StringArray};

    use super::*;
    use crate::render::Column;

    fn table(rows: usize) -> Table {
        let numbers = Float64Array::from_iter((0..rows).map(|row| (row != 1).then_some(row as f64 / 2.0)));
        let names = StringArray::from_iter_values((0..rows).map(|row| format!("n{row}")));
        let batch = RecordBatch::try_from_iter([("x", Arc::new(numbers) as _), ("name", Arc::new(names) as _)]).unwrap();
        let column = |name: &str, type_name: &str| Column { name: name.into(), type_name: type_name.into() };
        Table { columns: vec![column("x", "double"), column("name", "varchar")], batches: vec![batch] }
    }

    #[test]
    fn a_short_table_is_duckdbs_box() {
        let expected = "\
┌────────┬─────────┐
│   x    ┆  name   │
│ double ┆ varchar │
├────────┼─────────┤
│    0.0 │ n0      │
│   NULL │ n1      │
└────────┴─────────┘
"
        .replace('┆', "│");
        assert_eq!(draw(&table(2), Limits::default()), expected);
    }

    #[test]
    fn a_long_table_loses_its_middle_and_counts_its_rows() {
        let text = draw(&table(1000), Limits::default());
        assert!(text.contains("n19 ") && !text.contains("n20 ") && text.contains("n980"), "{text}");
        assert!(text.contains("1000 rows (40 shown)"), "{text}");
        assert_eq!(text.lines().filter(|line| line.contains('·')).count(), 3);
    }

    #[test]
    fn a_narrow_terminal_hides_middle_columns() {
        let text = draw(&table(2), Limits { rows: 40, width: Some(15) });
        assert!(text.contains('…') && text.contains("2 columns (1 shown)"), "{text}");
    }
}
