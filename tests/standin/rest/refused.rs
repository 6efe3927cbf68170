//! Errors of the REST API, in the words of the vendor.

use serde_json::json;

use super::super::faults::Refusal;
use super::super::http::Response;

const PLAN: &str =
    "You are not entitled to this data. Please upgrade your plan at https://massive.com/pricing";
const TIMEFRAME: &str = "Your plan doesn't include this data timeframe. Please upgrade your plan at https://massive.com/pricing";
const TODAY: &str = "Attempted to request today's data before end of day. Please upgrade your plan at https://massive.com/pricing";
const RATE: &str = "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue. https://massive.com/pricing";

/// Why a call gets no rows.
#[derive(Debug)]
pub struct Refused {
    status: u16,
    /// `status`, and the name of the field with the text; `None` for plain text.
    form: Option<(&'static str, &'static str)>,
    text: String,
}

impl Refused {
    pub fn error(status: u16, text: &str) -> Refused {
        Refused {
            status,
            form: Some(("ERROR", "error")),
            text: text.to_owned(),
        }
    }

    /// A parameter that cannot be meant.
    pub fn parameter(name: &str, got: &str) -> Refused {
        Refused::error(400, &format!("Invalid value for parameter {name}: {got}"))
    }

    /// The usual words of a status.
    pub fn status(status: u16) -> Refused {
        Refused::error(
            status,
            match status {
                401 => "Unknown API Key",
                403 => PLAN,
                429 => RATE,
                500..=599 => "Something went wrong on our side.",
                _ => "The request was not understood.",
            },
        )
    }

    pub fn entitlement(refusal: Refusal) -> Refused {
        let (text, form) = match refusal {
            Refusal::Plan => (PLAN, ("NOT_AUTHORIZED", "message")),
            Refusal::Timeframe => (TIMEFRAME, ("NOT_AUTHORIZED", "message")),
            Refusal::BeforeEndOfDay => (TODAY, ("NOT_AUTHORIZED", "message")),
            Refusal::PlanAsError => (PLAN, ("ERROR", "error")),
        };
        Refused {
            form: Some(form),
            ..Refused::error(403, text)
        }
    }

    pub fn not_found(text: &str) -> Refused {
        Refused {
            form: Some(("NOT_FOUND", "message")),
            ..Refused::error(404, text)
        }
    }

    pub fn no_route() -> Refused {
        Refused {
            form: None,
            ..Refused::error(404, "404 page not found\n")
        }
    }

    pub fn response(self) -> Response {
        let Some((status, field)) = self.form else {
            return Response::new(self.status, "text/plain", self.text);
        };
        let body = json!({"status": status, "request_id": "e0", field: self.text});
        Response::new(self.status, "application/json", body.to_string())
    }
}

/// The usual words of a status, under `error` or `message`.
pub fn error(status: u16, field: &'static str) -> Response {
    let refused = Refused {
        form: Some(("ERROR", field)),
        ..Refused::status(status)
    };
    refused.response()
}
