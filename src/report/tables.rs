//! A run's tables: all closed trades, their breakdowns, what is still open, and the run's counts.

mod columns;
mod counts;
mod notes;

use super::group::{Dimension, grouped};
use super::stats::{OpenStats, TradeStats, is_closed};
use super::table::{Cell, Column, Fact, Table};
use super::{Header, ReportTrade, Run};

/// The tables of `run`: totals first, then one per crossing of `by` (every single dimension when
/// `by` is empty), then open trades and counts where there are any. Same run, same tables: rows
/// come in their dimension's natural order and sums in the order of `run.trades`.
pub fn tables(run: &Run, by: &[Vec<Dimension>]) -> Vec<Table> {
    let closed: Vec<&ReportTrade> = run.trades.iter().filter(|t| is_closed(t)).collect();
    let every_dimension: Vec<Vec<Dimension>> = Dimension::ALL.iter().map(|d| vec![*d]).collect();
    let by = if by.is_empty() { &every_dimension } else { by };

    let mut tables = vec![totals(run, &closed)];
    if !closed.is_empty() {
        tables.extend(by.iter().map(|crossing| breakdown(&closed, crossing)));
    }
    tables.extend(open(run));
    tables.extend(counts::table(&run.counts));

    let facts = facts(&run.header);
    for table in &mut tables {
        table.facts.clone_from(&facts);
    }
    tables
}

fn totals(run: &Run, closed: &[&ReportTrade]) -> Table {
    let stats = TradeStats::of(closed);
    let mut table = Table::new(columns::figures())
        .named("totals")
        .titled("All closed trades");
    table.push(columns::cells(&stats));
    table.notes.extend(run.header.notes.iter().cloned());
    table.notes.extend(notes::on_totals(&stats));
    table
}

fn breakdown(closed: &[&ReportTrade], crossing: &[Dimension]) -> Table {
    let names: Vec<&str> = crossing.iter().map(|d| d.as_str()).collect();
    let by_what: Vec<&str> = crossing.iter().map(|d| title(*d)).collect();
    let groups = crossing
        .iter()
        .map(|d| Column::text(d.as_str(), d.as_str()));
    let mut table = Table::new(groups.chain(columns::figures()).collect())
        .named(names.join(","))
        .titled(format!("By {}", by_what.join(" × ")));

    let mut small = Vec::new();
    for (key, trades) in grouped(closed, crossing) {
        let stats = TradeStats::of(&trades);
        let labels: Vec<String> = key.into_iter().map(|group| group.label).collect();
        if stats.n < notes::FEW_TRADES {
            small.push((labels.join(" "), stats.n));
        }
        let labels = labels.into_iter().map(Cell::Text);
        table.push(labels.chain(columns::cells(&stats)).collect());
    }
    table
        .notes
        .extend(notes::on_groups(&small, table.rows.len(), crossing));
    table.push_total(total_cells(
        crossing.len(),
        columns::cells(&TradeStats::of(closed)),
    ));
    table
}

/// `Total` under the first of `groups` columns, nothing under the others. It is a word and not a
/// value: there is no kind called Total.
fn total_cells(groups: usize, figures: Vec<Cell>) -> Vec<Cell> {
    let word = |index| {
        if index == 0 {
            Cell::EmptyBecause("Total".to_owned())
        } else {
            Cell::blank()
        }
    };
    (0..groups).map(word).chain(figures).collect()
}

fn title(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Kind => "kind",
        Dimension::Ticker => "ticker",
        Dimension::Tag => "tag",
        Dimension::Direction => "direction",
        Dimension::Strength => "strength of the signal",
        Dimension::Dte => "days to expiry",
        Dimension::Hour => "hour of the signal in New York",
        Dimension::Regime => "regime (trend/volatility)",
        Dimension::Outcome => "outcome",
    }
}

/// Open trades by kind; `None` when every trade is closed.
fn open(run: &Run) -> Option<Table> {
    let open: Vec<&ReportTrade> = run.trades.iter().filter(|t| !is_closed(t)).collect();
    if open.is_empty() {
        return None;
    }
    let columns = [
        Column::text("kind", "kind"),
        Column::number("n", "open"),
        Column::number("marked_pnl_pct", "marked %"),
    ];
    let mut table = Table::new(columns.to_vec())
        .named("open")
        .titled("Open trades");
    let figures = |trades: &[&ReportTrade]| {
        let OpenStats { n, marked_pnl_pct } = OpenStats::of(trades);
        vec![Cell::count(n), Cell::signed(marked_pnl_pct, 2)]
    };
    for (key, trades) in grouped(&open, &[Dimension::Kind]) {
        let labels = key.into_iter().map(|group| Cell::Text(group.label));
        table.push(labels.chain(figures(&trades)).collect());
    }
    table.push_total(total_cells(1, figures(&open)));
    table.note("Marked to the last close, net; in no other figure of this report.");
    Some(table)
}

/// What has to be known before any figure: which run, which period, how it filled and at what cost.
fn facts(header: &Header) -> Vec<Fact> {
    let Header {
        experiment_id,
        run,
        start,
        end,
        tickers,
        fill_policy: policy,
        ..
    } = header;
    let at_close = if policy.flat_at_close {
        "flat at the close"
    } else {
        "held over the close"
    };
    vec![
        Fact::new(
            "run",
            format!("{run}, experiment {experiment_id}"),
            vec![
                ("run", Cell::text(run)),
                ("experiment_id", Cell::text(experiment_id)),
            ],
        ),
        Fact::new(
            "period",
            format!(
                "{start} to {end}, {tickers} {}",
                if *tickers == 1 { "ticker" } else { "tickers" }
            ),
            vec![
                ("start", Cell::text(start.to_string())),
                ("end", Cell::text(end.to_string())),
                ("tickers", Cell::count(*tickers as u64)),
            ],
        ),
        Fact::new(
            "fills",
            format!(
                "entry {}, intrabar {}, scalp and day trade {at_close}",
                policy.entry, policy.intrabar
            ),
            vec![
                ("entry", Cell::text(&policy.entry)),
                ("intrabar", Cell::text(&policy.intrabar)),
                ("flat_at_close", Cell::Bool(policy.flat_at_close)),
            ],
        ),
        Fact::new(
            "costs",
            format!(
                "{} bp slippage per side; {} $ per contract and side, in option P&L only",
                policy.slippage_bps, policy.commission_per_contract
            ),
            vec![
                ("slippage_bps", Cell::float(Some(policy.slippage_bps), 2)),
                (
                    "commission_per_contract",
                    Cell::float(Some(policy.commission_per_contract), 2),
                ),
            ],
        ),
        Fact::new(
            "P&L",
            "of the underlying, not of the option: net of slippage, in % of the entry price",
            vec![("pnl_basis", Cell::text("underlying"))],
        ),
    ]
}
