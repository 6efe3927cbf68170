//! A table as a value: what the figures are, before anyone decides how they look.
//!
//! People and machines want different columns of the same fact. A cell such as [`Cell::Interval`]
//! is one column to people (`42–69`) and two to machines (`win_rate_low_pct`, `win_rate_high_pct`),
//! so a [`Column`] has one label and as many fields as its cells have values.

/// Rows under columns, with what holds for all of them above and what to beware of below.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What machines call it, such as `kind,regime`; `None` for a table that stands alone.
    pub name: Option<String>,
    pub title: Option<String>,
    /// Printed above the table, once for neighbours that share them.
    pub facts: Vec<Fact>,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    /// Sentences below the table.
    pub notes: Vec<String>,
}

/// Something that holds for every row: a line for people, values for machines.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub label: String,
    pub text: String,
    /// Machine name and value; CSV repeats them in every row, so that files of two runs can be
    /// put under each other.
    pub values: Vec<(String, Cell)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// Who gets to see a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Everyone,
    /// Left out where a screen is too narrow for all.
    RoomAllowing,
    /// In CSV and JSON only.
    Machines,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The header people read, unit last: `exp %`. Narrow terminals break it at its spaces.
    pub label: String,
    /// Machine names in snake case, unit last: one for each value of the column's cells.
    pub fields: Vec<String>,
    pub align: Align,
    pub audience: Audience,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub cells: Vec<Cell>,
    pub role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Plain,
    /// Sums up the plain rows. JSON keeps it apart and CSV leaves it out: a column that is added
    /// up must not count everything twice.
    Total,
}

/// One value. Nothing here is rounded; `decimals` is what people are shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Undefined or unknown; never 0.
    Empty,
    /// Empty to machines, with a word to people: `no losses`.
    EmptyBecause(String),
    Text(String),
    Bool(bool),
    Int(i64),
    Float {
        value: f64,
        decimals: u8,
    },
    /// A gain or a loss: printed with its sign.
    Signed {
        value: f64,
        decimals: u8,
    },
    /// Percent as the spec counts it: 2.0 is 2 %.
    Percent {
        value: f64,
        decimals: u8,
    },
    /// Two values: low, high.
    Interval {
        low: f64,
        high: f64,
        decimals: u8,
    },
    /// Two values: n, wins. People read them the other way round: `28/50`.
    Ratio {
        wins: u64,
        n: u64,
    },
    Duration {
        seconds: f64,
    },
}

/// A cell's value as machines take it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl Table {
    pub fn new(columns: Vec<Column>) -> Table {
        Table {
            columns,
            ..Table::default()
        }
    }

    pub fn named(mut self, name: impl Into<String>) -> Table {
        self.name = Some(name.into());
        self
    }

    pub fn titled(mut self, title: impl Into<String>) -> Table {
        self.title = Some(title.into());
        self
    }

    pub fn push(&mut self, cells: Vec<Cell>) {
        self.push_row(Row {
            cells,
            role: Role::Plain,
        });
    }

    pub fn push_total(&mut self, cells: Vec<Cell>) {
        self.push_row(Row {
            cells,
            role: Role::Total,
        });
    }

    fn push_row(&mut self, row: Row) {
        debug_assert!(
            row.cells.len() == self.columns.len(),
            "a row has a cell for every column"
        );
        self.rows.push(row);
    }

    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

impl Fact {
    /// A fact with one machine value.
    pub fn new(label: &str, text: impl Into<String>, values: Vec<(&str, Cell)>) -> Fact {
        let values = values
            .into_iter()
            .map(|(name, cell)| (name.to_owned(), cell))
            .collect();
        Fact {
            label: label.to_owned(),
            text: text.into(),
            values,
        }
    }
}

impl Column {
    /// Words, to the left.
    pub fn text(field: &str, label: &str) -> Column {
        Column {
            align: Align::Left,
            ..Column::number(field, label)
        }
    }

    /// A figure, to the right.
    pub fn number(field: &str, label: &str) -> Column {
        Column {
            label: label.to_owned(),
            fields: vec![field.to_owned()],
            align: Align::Right,
            audience: Audience::Everyone,
        }
    }

    /// For [`Cell::Interval`] and [`Cell::Ratio`], which have two values.
    pub fn pair(fields: [&str; 2], label: &str) -> Column {
        Column {
            fields: fields.map(str::to_owned).to_vec(),
            ..Column::number("", label)
        }
    }

    pub fn for_machines(self) -> Column {
        Column {
            audience: Audience::Machines,
            ..self
        }
    }

    pub fn room_allowing(self) -> Column {
        Column {
            audience: Audience::RoomAllowing,
            ..self
        }
    }
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    /// Nothing to see and nothing to say: null to machines, blank to people.
    pub fn blank() -> Cell {
        Cell::EmptyBecause(String::new())
    }

    /// A count. Counts beyond 2⁶³ do not occur.
    pub fn count(n: u64) -> Cell {
        Cell::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }

    pub fn float(value: Option<f64>, decimals: u8) -> Cell {
        defined(value).map_or(Cell::Empty, |value| Cell::Float { value, decimals })
    }

    pub fn signed(value: Option<f64>, decimals: u8) -> Cell {
        defined(value).map_or(Cell::Empty, |value| Cell::Signed { value, decimals })
    }

    pub fn duration(seconds: Option<f64>) -> Cell {
        defined(seconds).map_or(Cell::Empty, |seconds| Cell::Duration { seconds })
    }

    /// What machines get: `fields` values, one for each field of the column. An empty cell gives
    /// as many nulls as its column has fields.
    pub fn values(&self, fields: usize) -> Vec<Value> {
        let values = match self {
            Cell::Empty | Cell::EmptyBecause(_) => vec![Value::Null; fields],
            Cell::Text(text) => vec![Value::Text(text.clone())],
            Cell::Bool(value) => vec![Value::Bool(*value)],
            Cell::Int(value) => vec![Value::Int(*value)],
            Cell::Float { value, .. }
            | Cell::Signed { value, .. }
            | Cell::Percent { value, .. } => {
                vec![Value::float(*value)]
            }
            Cell::Duration { seconds } => vec![Value::float(*seconds)],
            Cell::Interval { low, high, .. } => vec![Value::float(*low), Value::float(*high)],
            Cell::Ratio { wins, n } => [n, wins]
                .map(|n| Cell::count(*n).values(1).remove(0))
                .to_vec(),
        };
        debug_assert!(
            values.len() == fields,
            "a cell has a value for every field of its column"
        );
        values
    }
}

impl Value {
    /// Neither CSV nor JSON has a word for infinity or NaN that all readers share.
    fn float(value: f64) -> Value {
        defined(Some(value)).map_or(Value::Null, Value::Float)
    }
}

/// Infinity and NaN are not results.
fn defined(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}
