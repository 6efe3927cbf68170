//! Statuses: from a frame to what the server says about the connection.

use serde::Deserialize;

use super::elements::Elements;
use super::fields::Text;

/// What the server says about the connection, not about the market.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    Connected,
    Authenticated,
    /// The items of a subscription that is now held.
    Subscribed(Vec<String>),
    AuthFailed,
    AuthTimeout,
    MaxConnections(String),
    Error(String),
    Other(String),
}

/// What a frame says about the connection, and whether it holds anything else.
#[derive(Debug, PartialEq)]
pub struct Said {
    pub statuses: Vec<Status>,
    pub has_data: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Element<'a> {
    #[serde(borrow)]
    ev: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
}

/// One search for a word that data does not have; only a frame with it is looked into. What cannot be
/// read here is left to the reader of data, who counts it.
pub fn said(text: &str) -> Said {
    let mut said = Said {
        statuses: Vec::new(),
        has_data: true,
    };
    if !text.contains("\"status\"") {
        return said;
    }
    let Some(mut elements) = Elements::of(text.as_bytes()) else {
        return said;
    };
    let mut count = 0;
    for element in elements.by_ref() {
        count += 1;
        let element = serde_json::from_str::<Element<'_>>(&text[element]);
        said.statuses
            .extend(element.ok().as_ref().and_then(Element::status));
    }
    let (_, is_whole) = elements.end();
    said.has_data = !is_whole || said.statuses.len() < count;
    said
}

impl Element<'_> {
    fn status(&self) -> Option<Status> {
        if self.ev.0.as_deref() != Some("status") {
            return None;
        }
        let message = self.message.0.as_deref().unwrap_or_default();
        Some(match self.status.0.as_deref().unwrap_or_default() {
            "connected" => Status::Connected,
            "auth_success" => Status::Authenticated,
            "auth_failed" => Status::AuthFailed,
            "auth_timeout" => Status::AuthTimeout,
            "max_connections" => Status::MaxConnections(message.to_owned()),
            "error" => Status::Error(message.to_owned()),
            "success" => match message.strip_prefix("subscribed to:") {
                Some(items) => Status::Subscribed(items_of(items).map(str::to_owned).collect()),
                None => Status::Other(message.to_owned()),
            },
            other => Status::Other(format!("{other} {message}")),
        })
    }
}

/// The items of a subscription: `T.*,AM.SPY` are two.
pub fn items_of(subscription: &str) -> impl Iterator<Item = &str> {
    let items = subscription.split(',').map(str::trim);
    items.filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_found_among_data() {
        let said = said(
            r#"[{"ev":"T","sym":"O:X","p":NaN},7,{"status":"success","ev":"status","message":"subscribed to: T.*, AM.SPY"},
                {"ev":"status","status":"auth_\u0073uccess","message":null},{"ev":"status","status":"news"}]"#,
        );
        let items = vec!["T.*".to_owned(), "AM.SPY".to_owned()];
        assert_eq!(
            said.statuses,
            [
                Status::Subscribed(items),
                Status::Authenticated,
                Status::Other("news ".to_owned())
            ]
        );
        assert!(said.has_data);
    }

    #[test]
    fn a_frame_of_statuses_is_no_data_and_a_frame_nobody_can_read_is() {
        for (frame, has_data) in [
            (r#"[{"ev":"status","status":"connected"}]"#, false),
            (r#"[{"ev":"T"}]"#, true),
            (r#"[{"ev":"status","status":"connected"},7]"#, true),
            (r#"[{"ev":"status","status":"connected"},{"ev":"T""#, true),
            (r#"{"ev":"status","status":"connected"}"#, true),
            ("[]", true),
        ] {
            assert_eq!(said(frame).has_data, has_data, "{frame}");
        }
    }
}
