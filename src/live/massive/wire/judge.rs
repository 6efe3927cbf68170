//! The judge: from the fields of a message to a trade, a bar or a quote, or to what is wrong with it.
//!
//! The same demands as on the rows of the vendor's REST interface, so that a print which one of the
//! two refuses is not let in by the other.

use super::fields::{Message, Value};
use super::{Fault, Wire, WireBar, WireQuote, WireTrade};
use crate::flow::{Codes, Quote};
use crate::time::Ts;

/// `None` when it is of another kind.
pub(super) fn wire<'a>(message: &'a Message<'_>) -> Result<Option<Wire<'a>>, Fault> {
    let wire = match message.ev.0.as_deref() {
        Some("T") => Wire::Trade(message.trade()?),
        Some("AM") => Wire::Bar(message.bar()?),
        Some("Q") => Wire::Quote(message.quote()?),
        Some(_) => return Ok(None),
        None => return Err(Fault::NoKind),
    };
    Ok(Some(wire))
}

impl Message<'_> {
    pub fn is_status(&self) -> bool {
        self.ev.0.as_deref() == Some("status")
    }

    /// The symbol or ticker that it names.
    pub fn whose(&self) -> Option<&str> {
        let symbol = self.sym.0.as_deref()?;
        Some(symbol.strip_prefix("O:").unwrap_or(symbol))
    }

    fn trade(&self) -> Result<WireTrade<'_>, Fault> {
        let of = Kind("T");
        Ok(WireTrade {
            sym: self.contract(of)?,
            price: of.price("p", self.p)?,
            size: self
                .s
                .whole()
                .filter(|size| *size > 0)
                .ok_or_else(|| of.fault("s", self.s, "a whole number of contracts"))?,
            exchange: self
                .x
                .whole()
                .and_then(|id| u16::try_from(id).ok())
                .ok_or_else(|| of.fault("x", self.x, "the number of an exchange"))?,
            conditions: match self.c {
                Value::Missing => Codes::default(),
                Value::Codes(codes) => codes,
                other => return Err(of.fault("c", other, "up to four codes")),
            },
            ts: of.ts_ms("t", self.t)?,
            sequence: self.q.whole().unwrap_or_default(),
        })
    }

    fn bar(&self) -> Result<WireBar<'_>, Fault> {
        let of = Kind("AM");
        let start = of.ts_ms("s", self.s)?;
        let end = of.ts_ms("e", self.e)?;
        if end <= start {
            return Err(of.fault("e", self.e, "a time after the start"));
        }
        Ok(WireBar {
            ticker: self.symbol(of)?,
            start,
            end,
            open: of.price("o", self.o)?,
            high: of.price("h", self.h)?,
            low: of.price("l", self.l)?,
            close: of.price("c", self.c)?,
            // There is no bar without trades, so one of zero shares is none.
            volume: self
                .v
                .number()
                .filter(|volume| *volume > 0.0 && volume.is_finite())
                .ok_or_else(|| of.fault("v", self.v, "a number of shares above zero"))?,
            // Zero is what a bar without an average has instead of none.
            vwap: match self.vw {
                Value::Missing | Value::Int(0) | Value::Float(0.0) => None,
                vwap => Some(of.price("vw", vwap)?),
            },
        })
    }

    fn quote(&self) -> Result<WireQuote<'_>, Fault> {
        let of = Kind("Q");
        Ok(WireQuote {
            sym: self.contract(of)?,
            quote: Quote {
                bid: of.side("bp", self.bp)?,
                ask: of.side("ap", self.ap)?,
            },
            ts: of.ts_ms("t", self.t)?,
            sequence: self.q.whole().unwrap_or_default(),
        })
    }

    fn contract(&self, of: Kind) -> Result<&str, Fault> {
        let symbol = self.symbol(of)?;
        Ok(symbol.strip_prefix("O:").unwrap_or(symbol))
    }

    fn symbol(&self, of: Kind) -> Result<&str, Fault> {
        let symbol = self.sym.0.as_deref().filter(|symbol| !symbol.is_empty());
        symbol.ok_or_else(|| of.fault("sym", Value::Missing, "a text"))
    }
}

/// What the vendor calls the kind of message that is being judged.
#[derive(Clone, Copy)]
struct Kind(&'static str);

impl Kind {
    #[cold]
    fn fault(self, field: &'static str, got: Value, expected: &'static str) -> Fault {
        Fault::Field {
            ev: self.0,
            field,
            got: got.to_string(),
            expected,
        }
    }

    fn price(self, field: &'static str, value: Value) -> Result<f64, Fault> {
        value
            .number()
            .filter(|price| *price > 0.0 && price.is_finite())
            .ok_or_else(|| self.fault(field, value, "a price above zero"))
    }

    /// One side of a quote; zero where there is none.
    fn side(self, field: &'static str, value: Value) -> Result<f64, Fault> {
        match value {
            Value::Missing => Ok(0.0),
            value => value
                .number()
                .filter(|price| *price >= 0.0 && price.is_finite())
                .ok_or_else(|| self.fault(field, value, "a price of at least zero")),
        }
    }

    fn ts_ms(self, field: &'static str, value: Value) -> Result<Ts, Fault> {
        value
            .whole()
            .filter(|ms| *ms > 0)
            .and_then(|ms| ms.checked_mul(1_000_000))
            .map(Ts::from_ns)
            .ok_or_else(|| self.fault(field, value, "milliseconds since 1970"))
    }
}
