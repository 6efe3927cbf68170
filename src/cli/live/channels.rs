//! Channels: from names in the config and variables in the environment to places alerts go to.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use url::Url;

use crate::cli::failure::Failure;
use crate::config::secret::{self, Secret};
use crate::config::{Alerts, CONSOLE, Config};
use crate::live::deliver::{Channel, Service};

/// All channels that `routes` name. Fails on one whose variables are not set.
pub fn of(config: &Config, routes: &Alerts) -> anyhow::Result<Vec<Channel>> {
    let Alerts {
        scalp,
        day_trade,
        swing,
        heartbeat,
    } = routes;
    let names: BTreeSet<&String> = [scalp, day_trade, swing, heartbeat]
        .into_iter()
        .flatten()
        .collect();
    names.into_iter().map(|name| one(config, name)).collect()
}

/// Everything on the terminal and nothing anywhere else.
pub fn console_alone() -> Alerts {
    let console = || vec![CONSOLE.to_owned()];
    Alerts {
        scalp: console(),
        day_trade: console(),
        swing: console(),
        heartbeat: Vec::new(),
    }
}

/// Nothing anywhere: the screen shows it.
pub fn nowhere() -> Alerts {
    Alerts {
        scalp: Vec::new(),
        day_trade: Vec::new(),
        swing: Vec::new(),
        heartbeat: Vec::new(),
    }
}

/// The channel called `name`.
pub fn one(config: &Config, name: &str) -> anyhow::Result<Channel> {
    let service = if name == CONSOLE {
        Service::Console(Arc::new(print))
    } else {
        service(config, name)?
    };
    Ok(Channel {
        name: name.to_owned(),
        service,
    })
}

fn service(config: &Config, name: &str) -> anyhow::Result<Service> {
    let routing = &config.routing;
    let Some(placeholder) = routing.channels.get(name) else {
        let known: Vec<&str> = routing.channels.keys().map(String::as_str).collect();
        let failure = Failure::usage(format!("there is no channel {name} in routing.channels"));
        let hint = format!("there is {CONSOLE}, {}", known.join(", "));
        return Err(failure.hint(hint).into());
    };
    let value = expanded(placeholder, name)?;
    let (kind, _) = name
        .split_once('_')
        .expect("the config checks the names of channels");
    Ok(match kind {
        "telegram" => Service::Telegram {
            api_url: Url::parse(&routing.telegram.api_url).expect("the config checks addresses"),
            bot_token: expanded(&routing.telegram.bot_token, "routing.telegram.bot_token")?,
            chat_id: value,
        },
        "discord" => Service::Discord { webhook: value },
        "slack" => Service::Slack { webhook: value },
        _ => Service::Webhook { url: value },
    })
}

fn expanded(placeholder: &str, of: &str) -> anyhow::Result<Secret> {
    secret::expand(placeholder, |name| std::env::var(name).ok()).map_err(|e| {
        Failure::usage(format!("{of}: {e}"))
            .hint("set it, route alerts elsewhere in routing.alerts, or print them with --dry-run")
            .into()
    })
}

/// An alert as data. A reader that has gone is no failure.
fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}
