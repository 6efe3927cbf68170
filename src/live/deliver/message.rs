//! Messages: from the alerts that were taken together to the text of one message.

use chrono::{DateTime, Utc};
use chrono_tz::America::New_York;

use super::queue::Waiting;
use super::split::REPEAT;
use super::{Alert, Before};
use crate::time::Ts;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Alert,
    /// Several alerts by their headlines.
    Digest,
    Test,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Alert => "alert",
            Kind::Digest => "digest",
            Kind::Test => "test",
        }
    }
}

/// One message as a service gets it: a whole one, or a part of one that is too long.
pub(super) struct Letter<'a> {
    pub kind: Kind,
    pub channel: &'a str,
    pub ids: &'a [String],
    pub text: &'a str,
    pub maybe_repeat: bool,
}

/// What goes out together and is sent, or dead, together.
pub(super) struct Message {
    pub kind: Kind,
    pub ids: Vec<String>,
    /// Of the ids, those that no earlier process tried.
    pub untried: Vec<String>,
    pub text: String,
    pub maybe_repeat: bool,
}

impl Message {
    pub fn new(batch: Vec<Waiting>) -> Message {
        let is_repeat = |one: &Waiting| one.before == Before::MaybeSent;
        let ids_where = |is_wanted: &dyn Fn(&Waiting) -> bool| {
            let wanted = batch.iter().filter(|one| is_wanted(one));
            wanted.map(|one| one.alert.id.clone()).collect()
        };
        let ids = ids_where(&|_| true);
        let untried = ids_where(&|one| !is_repeat(one));
        match batch.as_slice() {
            [one] => Message {
                kind: Kind::Alert,
                ids,
                untried,
                text: one.alert.text.clone(),
                maybe_repeat: is_repeat(one),
            },
            // Each of its lines says for itself whether it may be a repeat.
            several => Message {
                kind: Kind::Digest,
                ids,
                untried,
                text: digest(several),
                maybe_repeat: false,
            },
        }
    }

    pub fn ids(&self) -> Vec<&str> {
        self.ids.iter().map(String::as_str).collect()
    }

    pub fn untried(&self) -> Vec<&str> {
        self.untried.iter().map(String::as_str).collect()
    }
}

/// How many and from when to when, then a headline each.
fn digest(batch: &[Waiting]) -> String {
    let times = || batch.iter().map(|one| one.alert.at);
    let mut text = format!(
        "{} alerts, {}",
        batch.len(),
        span(
            times().min().unwrap_or_default(),
            times().max().unwrap_or_default()
        )
    );
    for Waiting { alert, before } in batch {
        let Alert { headline, .. } = alert;
        text += &match before {
            Before::Nothing => format!("\n{headline}"),
            Before::MaybeSent => format!("\n{REPEAT}: {headline}"),
        };
    }
    text
}

fn span(first: Ts, last: Ts) -> String {
    let format = match first.exchange_date() == last.exchange_date() {
        true => "%I:%M:%S %p",
        false => "%m-%d-%Y %I:%M:%S %p",
    };
    let shown = |ts: Ts| new_york(ts).format(format).to_string();
    match first == last {
        true => format!("{} ET", shown(first)),
        false => format!("{} to {} ET", shown(first), shown(last)),
    }
}

fn new_york(ts: Ts) -> DateTime<chrono_tz::Tz> {
    let utc: DateTime<Utc> = ts.to_utc();
    utc.with_timezone(&New_York)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(id: &str, at: &str, before: Before) -> Waiting {
        let alert = Alert {
            id: id.to_owned(),
            at: Ts::parse_rfc3339(at).unwrap(),
            text: format!("{id}\nin full"),
            headline: format!("{id} in short"),
        };
        Waiting { alert, before }
    }

    #[test]
    fn one_alert_is_itself_and_several_are_a_digest() {
        let one = Message::new(vec![waiting(
            "a",
            "2025-03-14T14:00:00Z",
            Before::MaybeSent,
        )]);
        assert_eq!((one.kind, one.text.as_str()), (Kind::Alert, "a\nin full"));
        assert!(one.maybe_repeat);

        let several = Message::new(vec![
            waiting("a", "2025-03-14T14:01:02Z", Before::MaybeSent),
            waiting("b", "2025-03-14T14:00:00.5Z", Before::Nothing),
        ]);
        assert_eq!(several.ids(), ["a", "b"]);
        assert_eq!(several.untried(), ["b"]);
        assert_eq!(
            several.text,
            "2 alerts, 10:00:00 AM to 10:01:02 AM ET\n\
             Possibly a repeat: a in short\n\
             b in short"
        );
    }

    #[test]
    fn a_digest_over_several_days_names_them() {
        let ts = |text| Ts::parse_rfc3339(text).unwrap();
        assert_eq!(
            span(ts("2025-03-13T19:59:00Z"), ts("2025-03-14T13:30:01Z")),
            "03-13-2025 03:59:00 PM to 03-14-2025 09:30:01 AM ET"
        );
        let noon = ts("2025-03-14T16:00:00Z");
        assert_eq!(span(noon, noon), "12:00:00 PM ET");
    }
}
