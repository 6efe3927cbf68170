//! Tables of a run and logs of a stream, compared by their rows.

use std::path::{Path, PathBuf};

use flowlab::time::Ts;

/// Fails unless the logs in `state` have exactly the rows of the run in `folder`, in order of time.
/// What became of an event after its signal was given is not in a log.
pub fn assert_logged(state: &Path, folder: &Path) {
    let read = |path: PathBuf| std::fs::read_to_string(path).expect("a table");
    let logged = Rows::of(&read(state.join("signals_log.csv")));
    let expected = Rows::of(&read(folder.join("signals.csv")));
    let as_given = |rows: &Rows| rows.without(&["cancelled_at", "cancelled_contracts"]);
    assert_eq!(as_given(&logged).sorted(), as_given(&expected).sorted());
    logged.is_in_order_of("available_at");
    let logged = Rows::of(&read(state.join("paper_trades_log.csv")));
    let mut expected = Rows::of(&read(folder.join("trades.csv")));
    let outcome = expected.column("outcome");
    expected.rows.retain(|row| row[outcome] != "OPEN");
    assert_eq!(logged.sorted(), expected.sorted());
    // Known at the end of the bar that a trade was closed in, or at whose open it was.
    logged.is_in_order_of_minutes("closed_at");
}

/// A CSV file.
#[derive(Clone, Debug, PartialEq)]
struct Rows {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Rows {
    fn of(text: &str) -> Rows {
        assert!(text.ends_with('\n'), "a torn row");
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader.has_headers(false).from_reader(text.as_bytes());
        let fields = |row: csv::StringRecord| row.iter().map(str::to_owned).collect();
        let rows = reader.records();
        // Rows of another length fail here.
        let mut rows = rows.map(|row| fields(row.expect("a whole row")));
        let header = rows.next().expect("a header");
        Rows {
            header,
            rows: rows.collect(),
        }
    }

    fn column(&self, name: &str) -> usize {
        let column = self.header.iter().position(|column| column == name);
        column.expect("the column is there")
    }

    fn without(&self, columns: &[&str]) -> Rows {
        let kept = |row: &Vec<String>| {
            let fields = row.iter().zip(&self.header);
            let fields = fields.filter(|(_, name)| !columns.contains(&name.as_str()));
            fields.map(|(field, _)| field.clone()).collect()
        };
        Rows {
            header: kept(&self.header),
            rows: self.rows.iter().map(kept).collect(),
        }
    }

    fn sorted(&self) -> Rows {
        let mut sorted = self.clone();
        sorted.rows.sort();
        sorted
    }

    fn is_in_order_of(&self, column: &str) {
        assert!(self.times(column).is_sorted());
    }

    fn times(&self, column: &str) -> Vec<Ts> {
        let column = self.column(column);
        let times = self.rows.iter();
        let times = times.map(|row| Ts::parse_rfc3339(&row[column]).expect("a time"));
        times.collect()
    }

    /// A fill at the open of a bar is known when that bar ends, as one inside of it.
    fn is_in_order_of_minutes(&self, column: &str) {
        for pair in self.times(column).windows(2) {
            assert!(pair[0] <= pair[1].plus_minutes(1), "{pair:?}");
        }
    }
}
