//! `flowlab completions`: what a shell needs to complete commands and options.

use clap::CommandFactory;

use super::{Cli, Session, Status};

#[derive(Debug, clap::Args)]
pub struct Args {
    shell: clap_complete::Shell,
}

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "flowlab", &mut script);
    session.print(&String::from_utf8_lossy(&script))
}
