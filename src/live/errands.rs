//! Errands: questions to REST that a stream has, in; answers, each in its time, out.
//!
//! A few threads ask, at the pace of the vendor's client, so that nobody who reads the stream waits.

mod questions;
mod quiet;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::inbox::Message;
use super::stream::Wanted;
use crate::fetch::quotes_around;
use crate::flow::{Print, Rules, Sight, sights};
use crate::providers::massive::{Fetched, Massive, MassiveError, TimedBar};
use crate::store::MinuteBar;
use crate::time::{Calendar, Session, Ts};
use questions::Questions;
pub use quiet::NoChain;
use quiet::{quiet_since, whole_ms};

const MS_NS: i64 = 1_000_000;

/// A question. `hole` names what an answer is for; answers to a hole that is no more are left aside.
#[derive(Clone, Debug)]
pub enum Errand {
    Quotes {
        wanted: Wanted,
        rules: Rules,
    },
    Prints {
        hole: u64,
        symbol: String,
        from: Ts,
        to: Ts,
    },
    Bars {
        hole: u64,
        ticker: String,
        date: NaiveDate,
    },
    /// Which contracts of a ticker have not traded since `from`.
    Chain {
        hole: u64,
        ticker: String,
        from: Ts,
    },
    /// Prints of a time in which a contract was said to have none.
    Check {
        symbol: String,
        from: Ts,
        to: Ts,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What the prints asked for met; empty when nothing was to be had.
    Sights { symbol: String, sights: Vec<Sight> },
    /// Quotes are not in the plan, with the vendor's words.
    NoQuotes { message: String },
    Prints {
        hole: u64,
        symbol: String,
        /// Or why there are none.
        prints: Result<Vec<Print>, String>,
    },
    Bars {
        hole: u64,
        ticker: String,
        bars: Result<Vec<MinuteBar>, String>,
    },
    Chain {
        hole: u64,
        ticker: String,
        /// Contracts that had not traded.
        quiet: Result<Vec<String>, NoChain>,
    },
    Check {
        symbol: String,
        from: Ts,
        to: Ts,
        prints: Result<Vec<Print>, String>,
    },
}

/// Whoever asks.
pub enum Errands {
    Threads(Arc<Questions>),
    /// A recording has the answers, and tells them in its time.
    Recorded,
}

impl Errands {
    /// Starts `threads` of them; answers go into `answers`.
    pub fn start(
        threads: usize,
        massive: &Arc<Massive>,
        calendar: &Arc<Calendar>,
        answers: &SyncSender<Message>,
    ) -> Errands {
        let questions = Arc::<Questions>::default();
        for _ in 0..threads {
            let (massive, calendar) = (massive.clone(), calendar.clone());
            let (answers, questions) = (answers.clone(), questions.clone());
            std::thread::spawn(move || {
                while let Some(errand) = questions.next() {
                    let is_check = matches!(errand, Errand::Check { .. });
                    let answer = ask(&massive, &calendar, errand);
                    if massive.is_stopped() {
                        // A question that was given up is no answer of the vendor's: the next process
                        // asks again.
                        return;
                    }
                    if is_check {
                        questions.checked();
                    }
                    if answers.send(Message::Answer(answer)).is_err() {
                        return;
                    }
                }
            });
        }
        Errands::Threads(questions)
    }

    pub fn ask(&self, errand: Errand) {
        if let Errands::Threads(questions) = self {
            questions.push(errand);
        }
    }

    /// Whether answers come without a question, from a recording.
    pub fn are_recorded(&self) -> bool {
        matches!(self, Errands::Recorded)
    }

    /// Nobody asks any more. What is under way ends by itself; nobody waits for it.
    pub fn close(self) {
        if let Errands::Threads(questions) = self {
            questions.close();
        }
    }
}

fn ask(massive: &Massive, calendar: &Calendar, errand: Errand) -> Answer {
    match errand {
        Errand::Quotes { wanted, rules } => quotes(massive, wanted, &rules),
        Errand::Prints {
            hole,
            symbol,
            from,
            to,
        } => Answer::Prints {
            prints: prints(massive, &symbol, from, to).map_err(|e| e.to_string()),
            hole,
            symbol,
        },
        Errand::Bars { hole, ticker, date } => Answer::Bars {
            bars: minute_bars(massive, calendar, &ticker, date).map_err(|e| e.to_string()),
            hole,
            ticker,
        },
        Errand::Chain { hole, ticker, from } => Answer::Chain {
            quiet: quiet_since(massive, &ticker, from),
            hole,
            ticker,
        },
        Errand::Check { symbol, from, to } => Answer::Check {
            prints: prints(massive, &symbol, from, to).map_err(|e| e.to_string()),
            symbol,
            from,
            to,
        },
    }
}

fn quotes(massive: &Massive, wanted: Wanted, rules: &Rules) -> Answer {
    let Wanted { symbol, prints } = wanted;
    match quotes_around(massive, &symbol, &prints, rules) {
        Ok(fetched) => Answer::Sights {
            sights: sights(&prints, &fetched.rows, rules),
            symbol,
        },
        Err(MassiveError::NotEntitled { message, .. }) => Answer::NoQuotes { message },
        Err(error) => {
            if !matches!(error, MassiveError::NotFound { .. } | MassiveError::Stopped) {
                log::warn!("no quotes of {symbol}, so its sides are by tick test: {error}");
            }
            let sights = Vec::new();
            Answer::Sights { symbol, sights }
        }
    }
}

fn prints(massive: &Massive, symbol: &str, from: Ts, to: Ts) -> Result<Vec<Print>, MassiveError> {
    let mut fetched = match massive.trades(symbol, from, to) {
        // The vendor's way to say that it did not trade.
        Err(MassiveError::NotFound { .. }) => Fetched::default(),
        fetched => fetched?,
    };
    for print in &mut fetched.rows {
        // The stream tells whole milliseconds, and a print of both is one.
        print.ts = whole_ms(print.ts);
    }
    // Stable: prints of one millisecond stay as they were reported.
    fetched.rows.sort_by_key(|print| print.ts);
    Ok(fetched.rows)
}

/// The day's minute bars so far, each once.
pub fn minute_bars(
    massive: &Massive,
    calendar: &Calendar,
    ticker: &str,
    date: NaiveDate,
) -> Result<Vec<MinuteBar>, MassiveError> {
    let fetched = massive.minute_bars(ticker, date, date)?;
    Ok(each_minute_once(&fetched.rows, calendar.session_on(date)))
}

/// In order of time; of a minute that is told twice the last holds, as in a fetch.
fn each_minute_once(rows: &[TimedBar], session: Option<&Session>) -> Vec<MinuteBar> {
    let bars = rows.iter().map(|row| (row.ts, row.minute_bar(session)));
    let bars: BTreeMap<Ts, MinuteBar> = bars.collect();
    bars.into_values().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::config::secret::Secret;
    use crate::flow::Codes;
    use crate::providers::massive::Settings;

    #[test]
    fn what_is_given_up_when_it_is_time_to_go_is_no_answer() {
        let nobody = Settings::new("http://127.0.0.1:1".parse().unwrap());
        let stop = Arc::new(AtomicBool::new(true));
        let massive = Arc::new(Massive::new(nobody, Secret::new("key"), stop).unwrap());
        let at = Ts::from_ns(0);
        let print = Print {
            ts: at,
            price: 1.0,
            size: 1,
            exchange: 302,
            conditions: Codes::one(209),
            correction: 0,
        };
        let rules = Rules {
            sweep_window_ms: 250,
            sweep_min_exchanges: 2,
            block_min_contracts: 500,
            max_quote_age_seconds: 60,
            min_notional: 10_000.0,
            session: None,
        };
        let (symbol, ticker) = ("TSLA250711C00300000".to_owned(), "TSLA".to_owned());
        for errand in [
            Errand::Quotes {
                wanted: Wanted {
                    symbol: symbol.clone(),
                    prints: vec![print],
                },
                rules,
            },
            Errand::Prints {
                hole: 1,
                symbol: symbol.clone(),
                from: at,
                to: at.plus_seconds(1),
            },
            Errand::Bars {
                hole: 1,
                ticker: ticker.clone(),
                date: at.exchange_date(),
            },
            Errand::Chain {
                hole: 1,
                ticker,
                from: at,
            },
            Errand::Check {
                symbol,
                from: at,
                to: at.plus_seconds(1),
            },
        ] {
            let (answers, answered) = sync_channel(1);
            let errands = Errands::start(1, &massive, &Arc::new(Calendar::shipped()), &answers);
            errands.ask(errand.clone());
            drop(answers);
            // The one who asks has gone as well, so this does not wait for ever.
            assert!(answered.recv().is_err(), "{errand:?}");
        }
    }

    #[test]
    fn of_a_minute_that_is_told_twice_the_last_holds() {
        let row = |minute, close| TimedBar {
            ts: Ts::from_ns(0).plus_minutes(minute),
            open: 1.0,
            high: 2.0,
            low: 1.0,
            close,
            volume: 10.0,
            vwap: None,
            trades: None,
        };
        let rows = [row(2, 1.5), row(1, 1.2), row(2, 1.8)];
        let bars = each_minute_once(&rows, None);
        let closes: Vec<f64> = bars.iter().map(|bar| bar.close).collect();
        assert_eq!(closes, [1.2, 1.8]);
    }
}
