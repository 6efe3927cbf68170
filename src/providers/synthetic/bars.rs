//! Bars: from a session's path to minute bars with volume, and from those to the daily bar.

use rand::RngExt;

use super::edge::Informed;
use super::params::Profile;
use super::path::{Piece, SessionPath, cents};
use super::random::{Stream, chance, normal};
use super::sessions::Day;
use super::volatility::volume_shape;
use super::{DailyBar, MinuteBar};

const FULL_SESSION_MINUTES: f64 = 390.0;
const SHARES_PER_TRADE: f64 = 110.0;
/// Volume in the minutes around an informed event, against the same minutes without one.
const BURST: f64 = 2.2;
/// Minutes before and after an informed event that are busier.
const BURST_BEFORE: usize = 3;
const BURST_AFTER: usize = 12;

/// How busy a session is. Decided for the whole day, so that relative volume can tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Activity {
    pub is_busy: bool,
    /// Against an ordinary session; both have mean 1.
    pub volume: f64,
    pub events: f64,
}

impl Activity {
    pub(super) fn draw(rng: &mut Stream) -> Activity {
        let is_busy = chance(rng, 0.4);
        let (volume, events) = if is_busy {
            (1.6, 1.25)
        } else {
            (0.6, 5.0 / 6.0)
        };
        let wobble = (0.15 * normal(rng) - 0.011_25).exp();
        Activity {
            is_busy,
            volume: volume * wobble,
            events,
        }
    }
}

/// Everything besides the path that shapes a session's bars.
pub(super) struct Tape<'a> {
    pub profile: &'a Profile,
    pub activity: Activity,
    pub informed: &'a [Informed],
    pub ratio: f64,
}

impl Tape<'_> {
    /// The minute bars of the session, pre- and post-market included, in order. Minutes in which
    /// nobody traded have none.
    pub(super) fn minute_bars(
        &self,
        day: &Day,
        path: &SessionPath,
        rng: &mut Stream,
    ) -> Vec<MinuteBar> {
        let open = day.session.open;
        let mut bars = Vec::with_capacity(path.regular.len() + 64);
        let mut push = |bar: Option<MinuteBar>| bars.extend(bar);
        let quiet = self.shares_per_minute() * 0.01;
        for (i, piece) in path.pre.iter().enumerate() {
            let ts = open.plus_minutes(i as i64 - path.pre.len() as i64);
            push(
                self.extended_bar(piece, quiet, rng)
                    .map(|bar| MinuteBar { ts, ..bar }),
            );
        }
        let shape = self.volume_per_minute(path.regular.len());
        for (i, piece) in path.regular.iter().enumerate() {
            let must_trade = self
                .informed
                .iter()
                .any(|informed| informed.window().contains(&i));
            let bar = bar(
                piece,
                shape[i] * (0.55 + 0.45 * piece.liveliness),
                must_trade,
                rng,
            );
            let ts = open.plus_minutes(i as i64);
            push(
                bar.filter(|_| !path.halt.contains(&i))
                    .map(|bar| MinuteBar { ts, ..bar }),
            );
        }
        for (i, piece) in path.post.iter().enumerate() {
            let ts = day.session.close.plus_minutes(i as i64);
            push(
                self.extended_bar(piece, quiet, rng)
                    .map(|bar| MinuteBar { ts, ..bar }),
            );
        }
        bars
    }

    fn shares_per_minute(&self) -> f64 {
        self.profile.daily_volume * self.ratio * self.activity.volume / FULL_SESSION_MINUTES
    }

    fn volume_per_minute(&self, minutes: usize) -> Vec<f64> {
        let mut shape = volume_shape(minutes);
        shape
            .iter_mut()
            .for_each(|w| *w *= self.shares_per_minute());
        for informed in self.informed {
            let from = informed.minute.saturating_sub(BURST_BEFORE);
            let to = (informed.minute + BURST_AFTER).min(minutes);
            shape[from..to].iter_mut().for_each(|w| *w *= BURST);
        }
        shape
    }

    /// Sparse even where the regular session is not.
    fn extended_bar(&self, piece: &Piece, shares: f64, rng: &mut Stream) -> Option<MinuteBar> {
        let trades = chance(rng, 0.6);
        let bar = trades.then(|| bar(piece, shares, false, rng)).flatten();
        bar.map(|bar| MinuteBar {
            is_regular: false,
            ..bar
        })
    }

    /// The daily bar of a session of which nothing finer is kept.
    pub(super) fn daily_bar(&self, day: &Day, path: &SessionPath, rng: &mut Stream) -> DailyBar {
        let fold = |(low, high): (f64, f64), (l, h): (f64, f64)| (low.min(l), high.max(h));
        let (low, high) = path
            .regular
            .iter()
            .map(Piece::range)
            .fold((f64::MAX, f64::MIN), fold);
        let volume =
            self.shares_per_minute() * day.session.minutes() as f64 * (0.1 * normal(rng)).exp();
        DailyBar {
            date: day.session.date,
            open: cents(path.regular[0].start()),
            high: cents(high),
            low: cents(low),
            close: cents(path.regular[path.regular.len() - 1].end()),
            volume: volume.round(),
        }
    }
}

/// The bar of one minute in which about `shares` change hands; `None` when that came to no trade.
fn bar(piece: &Piece, shares: f64, must_trade: bool, rng: &mut Stream) -> Option<MinuteBar> {
    let shares = shares * (0.35 * normal(rng) - 0.06).exp();
    // Odd half basis points: the first trade of a minute is rarely at the last price of the one before.
    let first = piece.start() * (1.0 + 5e-5 * (rng.random::<f64>() - 0.5));
    let has_no_trade = chance(rng, (-shares / SHARES_PER_TRADE).exp());
    let lean = rng.random::<f64>();
    if has_no_trade && !must_trade {
        return None;
    }
    let (low, high) = piece.range();
    let (open, close) = (cents(first), cents(piece.end()));
    let (low, high) = (cents(low).min(open), cents(high).max(open));
    let middle = (open + close + low + high) / 4.0;
    let vwap = middle + (lean - 0.5) * 0.2 * (high - low);
    Some(MinuteBar {
        ts: Default::default(),
        open,
        high,
        low,
        close,
        volume: shares.round().max(1.0),
        vwap: Some(((vwap * 1e4).round() / 1e4).clamp(low, high)),
        trades: Some((shares / SHARES_PER_TRADE).ceil().max(1.0) as i64),
        is_regular: true,
    })
}

/// The daily bar that the regular minutes of `bars` add up to; `None` when there are none.
pub(super) fn daily_from_minutes(day: &Day, bars: &[MinuteBar]) -> Option<DailyBar> {
    let mut regular = bars.iter().filter(|bar| bar.is_regular);
    let first = regular.next()?;
    let start = DailyBar {
        date: day.session.date,
        open: first.open,
        high: first.high,
        low: first.low,
        close: first.close,
        volume: first.volume,
    };
    Some(regular.fold(start, |day, bar| DailyBar {
        high: day.high.max(bar.high),
        low: day.low.min(bar.low),
        close: bar.close,
        volume: day.volume + bar.volume,
        ..day
    }))
}
