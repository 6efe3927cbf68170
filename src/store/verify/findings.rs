//! Findings: each kind of problem in a file once, with its first row and how many rows have it.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Cannot be right.
    Error,
    /// May be right, and is worth a look.
    Warning,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// Something wrong with a file, or with some of its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub severity: Severity,
    pub problem: String,
    /// The first row that has it, counted from 0; `None` when it is about the file.
    pub row: Option<u64>,
    /// Rows that have it.
    pub rows: u64,
    pub got: String,
    pub expected: String,
}

#[derive(Default)]
pub(super) struct Findings {
    pub list: Vec<Finding>,
}

impl Findings {
    /// The file cannot be read on.
    pub fn error(&mut self, problem: &str) {
        self.file(Severity::Error, problem, "", "");
    }

    pub fn file(
        &mut self,
        severity: Severity,
        problem: impl Into<String>,
        got: impl ToString,
        expected: impl ToString,
    ) {
        self.list.push(Finding {
            severity,
            problem: problem.into(),
            row: None,
            rows: 0,
            got: got.to_string(),
            expected: expected.to_string(),
        });
    }

    /// An error in a row; `say` gives got and expected when it is the first of its kind.
    pub fn row(&mut self, problem: &str, row: u64, say: impl FnOnce() -> (String, String)) {
        self.first_or_more(Severity::Error, problem, row, say);
    }

    /// Likewise something that may be right.
    pub fn doubt(&mut self, problem: &str, row: u64, say: impl FnOnce() -> (String, String)) {
        self.first_or_more(Severity::Warning, problem, row, say);
    }

    /// The same problem in several rows at once.
    pub fn rows(
        &mut self,
        severity: Severity,
        problem: &str,
        row: u64,
        rows: u64,
        got: &str,
        expected: &str,
    ) {
        self.first_or_more(severity, problem, row, || {
            (got.to_owned(), expected.to_owned())
        });
        if let Some(known) = self.known(problem) {
            known.rows += rows.saturating_sub(1);
        }
    }

    fn known(&mut self, problem: &str) -> Option<&mut Finding> {
        self.list
            .iter_mut()
            .find(|finding| finding.row.is_some() && finding.problem == problem)
    }

    fn first_or_more(
        &mut self,
        severity: Severity,
        problem: &str,
        row: u64,
        say: impl FnOnce() -> (String, String),
    ) {
        if let Some(known) = self.known(problem) {
            known.rows += 1;
            return;
        }
        let (got, expected) = say();
        self.list.push(Finding {
            severity,
            problem: problem.to_owned(),
            row: Some(row),
            rows: 1,
            got,
            expected,
        });
    }
}
