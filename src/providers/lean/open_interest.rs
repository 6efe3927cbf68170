//! Open interest: from a morning's file to the closing figures of the session before it.

use chrono::NaiveDate;

use super::OpenInterest;
use super::archive::Archive;
use super::entry::{Entries, Kind, Named};
use super::folder::LeanError;
use super::rows::{Imported, Line, columns, fault, instant, whole};
use crate::time::{Calendar, Session, Ts};

pub(super) fn read_open_interest(
    mut archive: Archive,
    ticker: &str,
    date: NaiveDate,
    calendar: &Calendar,
) -> Result<Imported<OpenInterest>, LeanError> {
    calendar.check_range(date)?;
    let before = &calendar.all()[..calendar.first_index_from(date)];
    let morning = Morning {
        date,
        closed: before
            .last()
            .ok_or(LeanError::NoSessionBefore { date })?
            .date,
        opens: calendar
            .session_on(date)
            .map(|session: &Session| session.open),
    };
    let entries = Entries::new(Kind::OpenInterest, ticker, date);
    let mut found = Imported::default();
    for name in archive.names()? {
        let text = archive.text(&name)?.unwrap_or_default();
        morning.read_contract(&mut found, &archive.label(&name), &text, &entries, &name);
    }
    Ok(found)
}

struct Morning {
    date: NaiveDate,
    /// The session whose closing figures these are.
    closed: NaiveDate,
    opens: Option<Ts>,
}

impl Morning {
    fn read_contract(
        &self,
        found: &mut Imported<OpenInterest>,
        label: &str,
        text: &str,
        entries: &Entries,
        name: &str,
    ) {
        let named = entries.contract(name);
        let mut is_known = false;
        found.read_lines(label, text, |line| {
            let [ms, open_interest] = columns(line, "2: ms,open interest")?;
            let contract = match named.clone()? {
                Named::Contract(contract) => contract,
                Named::NoSymbol => return Ok(Line::Drop("strike_without_symbol")),
            };
            // A contract that expired at the last close still has a closing figure there.
            if contract.expiry < self.closed {
                return Err(fault(
                    "expiry",
                    &contract.expiry.to_string(),
                    "the date of the figure or later",
                ));
            }
            let at = instant(self.date, ms)?;
            let open_interest = whole("open interest", open_interest)?;
            // Law 1: what came once trading had begun is not known to be the figure of the close.
            if self.opens.is_some_and(|opens| at >= opens) {
                return Ok(Line::Drop("after_open"));
            }
            if is_known {
                return Ok(Line::Drop("repeated"));
            }
            is_known = true;
            Ok(Line::Row(OpenInterest {
                date: self.closed,
                contract: contract.symbol(),
                open_interest,
                captured_at: None,
            }))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_figure_before_the_open_counts() {
        let date: NaiveDate = "2014-06-09".parse().unwrap();
        let opens = Calendar::shipped().session_on(date).map(|s| s.open);
        let morning = Morning {
            date,
            closed: "2014-06-06".parse().unwrap(),
            opens,
        };
        let entries = Entries::new(Kind::OpenInterest, "AAPL", date);
        let read = |name: &str, text| {
            let mut found = Imported::default();
            morning.read_contract(&mut found, name, text, &entries, name);
            found
        };
        let call = |expiry| {
            format!("20140609_aapl_minute_openinterest_american_call_6450000_{expiry}.csv")
        };

        let found = read(
            &call("20140606"),
            "23460000,12\n23520000,13\n34200000,14\n23460000,-1\n",
        );
        let row = OpenInterest {
            date: morning.closed,
            contract: "AAPL140606C00645000".into(),
            open_interest: 12,
            captured_at: None,
        };
        assert_eq!(found.rows, [row]);
        assert_eq!(
            (
                found.dropped["repeated"],
                found.dropped["after_open"],
                found.dropped["bad_row"]
            ),
            (1, 1, 1)
        );

        assert_eq!(
            read(&call("20140605"), "23460000,12\n").dropped["bad_row"],
            1
        );
        assert_eq!(read("notes.csv", "23460000,12\n").dropped["bad_row"], 1);
    }
}
