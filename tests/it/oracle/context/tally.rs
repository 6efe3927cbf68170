//! What was compared, how often there was something to compare, and what differed.

use std::collections::BTreeMap;

use flowlab::time::Ts;

pub(super) struct Check<'t> {
    pub(super) at: Ts,
    pub(super) tally: &'t mut Tally,
}

/// How often each column was something else than null, so that no test passes on nothing.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) known: BTreeMap<String, u32>,
    pub(super) too_close: u32,
    pub(super) stand_ins: u32,
    wrong: Vec<String>,
}

impl Tally {
    pub(super) fn number(&mut self, at: Ts, name: &str, got: Option<f64>, expected: Option<f64>) {
        let agrees = match (got, expected) {
            (Some(got), Some(expected)) => {
                (got - expected).abs() <= 1e-9 * expected.abs().max(f64::MIN_POSITIVE)
            }
            (got, expected) => got.is_none() && expected.is_none(),
        };
        *self.known.entry(name.to_owned()).or_default() += u32::from(expected.is_some());
        if !agrees {
            self.wrong
                .push(format!("{at} {name}: got {got:?}, expected {expected:?}"));
        }
    }

    pub(super) fn same<T: PartialEq + std::fmt::Debug>(
        &mut self,
        at: Ts,
        name: &str,
        got: T,
        expected: T,
    ) {
        let key = format!("{name} {expected:?}");
        *self.known.entry(key).or_default() += 1;
        if got != expected {
            self.wrong
                .push(format!("{at} {name}: got {got:?}, expected {expected:?}"));
        }
    }

    pub(super) fn merge(&mut self, other: Tally) {
        for (name, count) in other.known {
            *self.known.entry(name).or_default() += count;
        }
        self.too_close += other.too_close;
        self.stand_ins += other.stand_ins;
        self.wrong.extend(other.wrong);
    }

    pub(super) fn assert_right(&self) {
        let shown: Vec<&String> = self.wrong.iter().take(20).collect();
        assert!(
            self.wrong.is_empty(),
            "{} columns differ:\n{shown:#?}",
            self.wrong.len()
        );
    }
}
