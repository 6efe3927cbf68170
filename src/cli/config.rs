//! `flowlab config`: what a run would use and who said so, whether a file is valid, and its schema.

use super::{Session, Status};
use crate::config::{self, Config, ResolvedValue, Sources};
use crate::report::{Cell, Column, Table};
use crate::strategies::Kind;

#[derive(Clone, Debug, clap::Subcommand)]
pub enum ConfigCommand {
    /// Print every value in force and the layer that set it
    Show {
        /// Only the modes, as they hold for this ticker
        #[arg(long, value_name = "TICKER")]
        ticker: Option<String>,
        /// Only this mode: scalp, day_trade or swing
        #[arg(long, value_name = "MODE", value_parser = parse_mode)]
        mode: Option<Kind>,
    },
    /// Check the config and name the layers it came from
    Check,
    /// Print the JSON schema of a config file
    Schema,
}

pub fn run(session: &Session, command: &ConfigCommand) -> anyhow::Result<Status> {
    match output(command, &session.sources())? {
        Output::Values(table) => session.print_tables(&[table]),
        Output::Text(text) => session.print(&(text + "\n")),
    }
}

enum Output {
    Values(Table),
    Text(String),
}

fn output(command: &ConfigCommand, config_sources: &Sources) -> anyhow::Result<Output> {
    Ok(match command {
        ConfigCommand::Show { ticker, mode } => {
            let config = Config::load(config_sources)?;
            let ticker = ticker.as_ref().map(|ticker| ticker.to_ascii_uppercase());
            Output::Values(values_table(&config.provenance(ticker.as_deref(), *mode)))
        }
        ConfigCommand::Check => {
            let config = Config::load(config_sources)?;
            let layers = config.layers().join(", ");
            Output::Text(format!("valid: {layers}; hash {}", config.hash()))
        }
        ConfigCommand::Schema => Output::Text(config::json_schema()),
    })
}

fn parse_mode(text: &str) -> Result<Kind, String> {
    let name = text.to_ascii_uppercase().replace('-', "_");
    Kind::parse(&name).ok_or_else(|| "expected scalp, day_trade or swing".to_owned())
}

fn values_table(values: &[ResolvedValue]) -> Table {
    let columns = [
        ("key", "key"),
        ("value", "value"),
        ("layer", "set by"),
        ("block", "in block"),
    ];
    let mut table = Table::new(
        columns
            .map(|(field, label)| Column::text(field, label))
            .to_vec(),
    );
    for value in values {
        table.push(
            [&value.key, &value.value, &value.layer, &value.block]
                .map(Cell::text)
                .to_vec(),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Format, render};

    fn printed(command: &ConfigCommand, set: &[&str]) -> anyhow::Result<String> {
        let set = set.iter().map(|argument| (*argument).to_owned()).collect();
        let sources = Sources {
            search_dir: "nowhere".into(),
            set,
            ..Sources::default()
        };
        Ok(match output(command, &sources)? {
            Output::Values(table) => render(&[table], Format::Csv),
            Output::Text(text) => text,
        })
    }

    #[test]
    fn check_names_the_layers_on_one_line() {
        let line = printed(&ConfigCommand::Check, &["scalp.tp_pct=3"]).expect("valid");
        assert!(
            line.starts_with("valid: default config, --set scalp.tp_pct=3; hash "),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1);
        let error = printed(&ConfigCommand::Check, &["scalp.tp_pct=0"]).expect_err("no target");
        assert!(error.is::<config::ConfigError>());
    }

    #[test]
    fn show_takes_a_ticker_in_any_case_and_a_mode_as_the_config_spells_it() {
        let mode = Some(parse_mode("day_trade").expect("a mode"));
        let ticker = Some("tsla".to_owned());
        let set = ["tickers.overrides.TSLA.tp_pct=7"];
        let text = printed(&ConfigCommand::Show { ticker, mode }, &set).expect("valid");
        let line = text
            .lines()
            .find(|line| line.contains("tp_pct"))
            .expect("tp_pct is shown");
        assert!(
            line.starts_with("day_trade.tp_pct") && line.contains("tickers.overrides.TSLA"),
            "{line}"
        );
        assert!(parse_mode("scalps").is_err());
    }
}
