//! Tallies: figures that simply add, and the table they make.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Index;

use flowlab::flow::{Merged, Side, SideQuality};
use flowlab::providers::synthetic::{Disturbance, TruthEvent};

/// What is counted of the events of one line.
#[derive(Clone, Copy, Debug)]
pub enum Figure {
    Truth,
    /// Compared with an event of its own.
    Found,
    /// Compared with an event that goes on into the next truth.
    Swallowed,
    /// Events beside the one that is compared.
    Parts,
    Right,
    Wrong,
    /// No side was found where there is one.
    Unknown,
    /// Called a sweep if it is one, and only then.
    Sweep,
    Contracts,
    FirmRight,
    FirmWrong,
    Sweeps,
    SweepsFound,
    FalseSweeps,
}

const FIGURES: usize = Figure::FalseSweeps as usize + 1;

/// The columns of the table; the last three figures are told below it.
const COLUMNS: [(Figure, &str); 11] = [
    (Figure::Truth, " truth"),
    (Figure::Found, " found"),
    (Figure::Swallowed, "swallowed"),
    (Figure::Parts, "parts"),
    (Figure::Right, "side right"),
    (Figure::Wrong, "wrong"),
    (Figure::Unknown, "unknown"),
    (Figure::Sweep, "sweep right"),
    (Figure::Contracts, "contracts equal"),
    (Figure::FirmRight, "firm right"),
    (Figure::FirmWrong, "firm wrong"),
];

#[derive(Clone, Copy, Debug, Default)]
pub struct Tally([u64; FIGURES]);

impl Index<Figure> for Tally {
    type Output = u64;

    fn index(&self, figure: Figure) -> &u64 {
        &self.0[figure as usize]
    }
}

impl Tally {
    pub fn add(&mut self, figure: Figure, more: u64) {
        self.0[figure as usize] += more;
    }

    pub fn count(&mut self, figure: Figure, is: bool) {
        self.add(figure, u64::from(is));
    }

    pub fn sum<'a>(tallies: impl Iterator<Item = &'a Tally>) -> Tally {
        let mut sum = Tally::default();
        for tally in tallies {
            for (sum, more) in sum.0.iter_mut().zip(tally.0) {
                *sum += more;
            }
        }
        sum
    }

    pub fn compare(&mut self, truth: &TruthEvent, event: &Merged) {
        let is_firm = event.side_quality == SideQuality::Firm;
        let is_right = event.side == truth.side;
        let is_wrong = !is_right && event.side != Side::Unknown;
        self.count(Figure::Right, is_right);
        self.count(Figure::Wrong, is_wrong);
        self.count(Figure::Unknown, !is_right && !is_wrong);
        self.count(Figure::FirmRight, is_right && is_firm);
        self.count(Figure::FirmWrong, is_wrong && is_firm);
        self.count(Figure::Contracts, event.contracts == truth.contracts);
        self.count(Figure::Sweep, event.is_sweep == truth.is_sweep);
        self.count(Figure::SweepsFound, event.is_sweep && truth.is_sweep);
        self.count(Figure::FalseSweeps, event.is_sweep && !truth.is_sweep);
    }
}

/// The lines of the table in order. Crosses are apart: they have no side, and to find none is no merit.
const LINES: [(Option<Disturbance>, &str); 9] = [
    (Some(Disturbance::None), "undisturbed"),
    (Some(Disturbance::Stale), "stale"),
    (Some(Disturbance::Unusable), "unusable"),
    (Some(Disturbance::MetInMillisecond), "met in millisecond"),
    (Some(Disturbance::MovedBefore), "moved before"),
    (
        Some(Disturbance::MovedInMillisecond),
        "moved in millisecond",
    ),
    (Some(Disturbance::MovedMidway), "moved midway"),
    (Some(Disturbance::Crowded), "crowded"),
    (None, "crosses"),
];

/// What the rules made of all tapes, by line.
#[derive(Debug, Default)]
pub struct Recovery {
    lines: BTreeMap<Option<Disturbance>, Tally>,
    pub days: u64,
    pub events: u64,
    /// Events with a firm side, compared or not.
    pub firm: u64,
    /// Events that end in a print of no truth.
    pub from_nothing: u64,
}

impl Recovery {
    pub fn line_of(&mut self, truth: &TruthEvent) -> &mut Tally {
        let line = Some(truth.disturbance).filter(|_| truth.side != Side::Unknown);
        self.lines.entry(line).or_default()
    }

    pub fn of(&self, disturbance: Disturbance) -> Tally {
        self.lines[&Some(disturbance)]
    }

    /// All events that have a side.
    pub fn sided(&self) -> Tally {
        let sided = self.lines.iter().filter(|(line, _)| line.is_some());
        Tally::sum(sided.map(|(_, tally)| tally))
    }

    /// Crosses as well.
    pub fn whole(&self) -> Tally {
        Tally::sum(self.lines.values())
    }

    pub fn table(&self) -> String {
        let (sided, whole) = (self.sided(), self.whole());
        let mut text = format!("{:20}", "");
        for (_, name) in COLUMNS {
            write!(text, "  {name}").expect("text takes all");
        }
        let line = |(line, name): (Option<Disturbance>, &'static str)| (name, self.lines[&line]);
        let mut lines = LINES.map(line).to_vec();
        lines.insert(LINES.len() - 1, ("all with a side", sided));
        for (name, tally) in lines {
            write!(text, "\n{name:20}").expect("text takes all");
            for (figure, name) in COLUMNS {
                let width = name.len();
                write!(text, "  {:>width$}", tally[figure]).expect("text takes all");
            }
        }
        let given = sided[Figure::Right] + sided[Figure::Wrong];
        let firm = sided[Figure::FirmRight] + sided[Figure::FirmWrong];
        write!(
            text,
            "\n\n{} ticker-days, {} events, {} of them from nothing\
             \nside {} right, {} where one was given, {} where it was firm\
             \nsweeps {} found, {} of {}, and {} false",
            self.days,
            self.events,
            self.from_nothing,
            percent(sided[Figure::Right], sided[Figure::Truth]),
            percent(sided[Figure::Right], given),
            percent(sided[Figure::FirmRight], firm),
            percent(whole[Figure::SweepsFound], whole[Figure::Sweeps]),
            whole[Figure::SweepsFound],
            whole[Figure::Sweeps],
            whole[Figure::FalseSweeps],
        )
        .expect("text takes all");
        text
    }
}

fn percent(part: u64, of: u64) -> String {
    match of {
        0 => "none".to_owned(),
        _ => format!("{:.2} %", 100.0 * part as f64 / of as f64),
    }
}
