//! Errands: questions to REST that a stream has, in; answers, each in its time, out.
//!
//! A few threads ask, at the pace of the vendor's client, so that nobody who reads the stream waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::inbox::Message;
use super::stream::Wanted;
use crate::fetch::quotes_around;
use crate::flow::{Print, Rules, Sight, sights};
use crate::providers::massive::{Fetched, Massive, MassiveError};
use crate::store::MinuteBar;
use crate::time::{Calendar, Ts};

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
}

/// Whoever asks.
pub enum Errands {
    Threads {
        queue: Sender<Errand>,
        stop: Arc<AtomicBool>,
    },
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
        let (queue, questions) = channel();
        let questions = Arc::new(Mutex::new(questions));
        let stop = Arc::new(AtomicBool::new(false));
        for _ in 0..threads {
            let questions: Arc<Mutex<Receiver<Errand>>> = questions.clone();
            let (massive, calendar) = (massive.clone(), calendar.clone());
            let (answers, stopped) = (answers.clone(), stop.clone());
            std::thread::spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    let next = questions
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .recv();
                    let Ok(errand) = next else { return };
                    let answer = ask(&massive, &calendar, errand);
                    if answers.send(Message::Answer(answer)).is_err() {
                        return;
                    }
                }
            });
        }
        Errands::Threads { queue, stop }
    }

    pub fn ask(&self, errand: Errand) {
        if let Errands::Threads { queue, .. } = self {
            // Without threads nobody is left to hear the answer either.
            let _ = queue.send(errand);
        }
    }

    /// Whether answers come without a question, from a recording.
    pub fn are_recorded(&self) -> bool {
        matches!(self, Errands::Recorded)
    }

    /// Nobody asks any more. What is under way ends by itself; nobody waits for it.
    pub fn close(self) {
        if let Errands::Threads { stop, .. } = self {
            stop.store(true, Ordering::Relaxed);
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
            if !matches!(error, MassiveError::NotFound { .. }) {
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
    let mut fetched = massive.minute_bars(ticker, date, date)?;
    fetched.rows.sort_by_key(|bar| bar.ts);
    fetched.rows.dedup_by_key(|bar| bar.ts);
    let session = calendar.session_on(date);
    let rows = fetched.rows.into_iter();
    let bar = |row: crate::providers::massive::TimedBar| MinuteBar {
        ts: row.ts,
        open: row.open,
        high: row.high,
        low: row.low,
        close: row.close,
        volume: row.volume,
        vwap: row.vwap,
        trades: row.trades,
        is_regular: session.is_some_and(|session| session.contains(row.ts)),
    };
    Ok(rows.map(bar).collect())
}
