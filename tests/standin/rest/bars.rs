//! Bars: minutes and days of a ticker, and all stocks on one day.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::super::Family;
use super::super::faults::Refusal;
use super::super::new_york;
use super::super::world::{Bar, Stock};
use super::Call;
use super::page::{Answer, Page};
use super::query;
use super::refused::Refused;

const MS_NS: i64 = 1_000_000;
const MINUTE_NS: i64 = 60_000 * MS_NS;

impl Call<'_> {
    /// Bars whose start lies between two days or instants, both included. Only what flowlab asks for
    /// is there: single minutes and single days of stocks.
    pub fn bars(
        &self,
        ticker: &str,
        span: (&str, &str),
        (from, to): (&str, &str),
    ) -> Result<Answer, Refused> {
        self.check_plan(Family::Bars)?;
        let first = bound(from)
            .ok_or_else(|| Refused::parameter("from", from))?
            .0;
        let last = bound(to).ok_or_else(|| Refused::parameter("to", to))?.1;
        if first > last {
            return Err(Refused::error(
                400,
                "The parameter 'to' cannot be a time that occurs before 'from'",
            ));
        }
        self.check_history(new_york::date(first))?;
        let adjusted = self.adjusted()?;
        let descends = self.params.parsed("sort", false, |text| match text {
            "asc" => Some(false),
            "desc" => Some(true),
            _ => None,
        })?;
        let limit = self.params.limit(5_000, 50_000)?;
        let stock = self.world.stocks.get(ticker);
        let days = new_york::date(first)..=new_york::date(last);
        let mut bars: Vec<(NaiveDate, &Bar)> = match span {
            ("1", "minute") => stock
                .into_iter()
                .flat_map(|stock| stock.minute_bars.range(days.clone()))
                .flat_map(|(date, bars)| bars.iter().map(|bar| (*date, bar)))
                .filter(|(_, bar)| bar.ts + MINUTE_NS <= self.now)
                .collect(),
            ("1", "day") => stock
                .into_iter()
                .flat_map(|stock| stock.daily_bars.range(days.clone()))
                .map(|(date, bar)| (*date, bar))
                .filter(|(date, _)| self.world.close_of(*date) <= self.now)
                .collect(),
            (count, _) => return Err(Refused::parameter("timespan", count)),
        };
        bars.retain(|(_, bar)| (first..=last).contains(&bar.ts));
        if descends {
            bars.reverse();
        }
        let mut page = self.page(&bars, limit, |(date, bar)| {
            let factor = match (adjusted, stock) {
                (true, Some(stock)) => stock.adjustment(*date, self.today),
                _ => 1.0,
            };
            row(bar, bar.ts / MS_NS, factor)
        });
        page.beside.insert("ticker".into(), ticker.into());
        Ok(counted(page, adjusted))
    }

    /// One answer with every stock that has a bar on `date`.
    pub fn grouped_day(&self, date: &str) -> Result<Answer, Refused> {
        self.check_plan(Family::Grouped)?;
        let date = query::date(date).ok_or_else(|| Refused::parameter("date", date))?;
        self.check_history(date)?;
        if date >= self.today && self.now < self.world.close_of(date) {
            return Err(Refused::entitlement(Refusal::BeforeEndOfDay));
        }
        let adjusted = self.adjusted()?;
        let stocks = self.world.stocks.iter();
        let bars: Vec<(&String, &Stock, &Bar)> = stocks
            .filter_map(|(ticker, stock)| Some((ticker, stock, stock.daily_bars.get(&date)?)))
            .collect();
        // The end of the window, other than everywhere else.
        let close_ms = new_york::at(date, 16, 0) / MS_NS;
        let rows: Vec<Value> = bars
            .into_iter()
            .map(|(ticker, stock, bar)| {
                let factor = match adjusted {
                    true => stock.adjustment(date, self.today),
                    false => 1.0,
                };
                let mut row = row(bar, close_ms, factor);
                row["T"] = ticker.as_str().into();
                row
            })
            .collect();
        Ok(counted(Page::whole(rows), adjusted))
    }

    fn adjusted(&self) -> Result<bool, Refused> {
        self.params
            .parsed("adjusted", true, |text| text.parse().ok())
    }
}

/// First and last instant of a day, or the instant given in ms.
fn bound(text: &str) -> Option<(i64, i64)> {
    if let Ok(ms) = text.parse::<i64>() {
        let ns = ms.checked_mul(MS_NS).filter(|ns| *ns >= 0)?;
        return Some((ns, ns));
    }
    let date = query::date(text)?;
    let next = date.checked_add_days(Days::new(1))?;
    Some((new_york::midnight(date), new_york::midnight(next) - 1))
}

fn row(bar: &Bar, t: i64, factor: f64) -> Value {
    json!({
        "v": bar.volume / factor, "vw": bar.vwap * factor,
        "o": bar.open * factor, "c": bar.close * factor,
        "h": bar.high * factor, "l": bar.low * factor,
        "t": t, "n": bar.trades,
    })
}

/// Bars come with their number, and without `results` when there are none.
fn counted(mut page: Page, adjusted: bool) -> Answer {
    let count = page.len();
    page.beside.insert("adjusted".into(), adjusted.into());
    page.beside.insert("queryCount".into(), count.into());
    page.beside.insert("resultsCount".into(), count.into());
    if count > 0 {
        page.beside.insert("count".into(), count.into());
    }
    page.omits_empty = true;
    Answer::Page(page)
}
