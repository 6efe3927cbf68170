//! One test binary; a module per subject.

/// What a signal says to people.
mod alerts;
/// Commands over the cache and runs, above all on bad input.
mod cli;
/// What a config file may say, and how it is told that it may not.
mod config;
/// The program in a folder of its own.
mod desk;
/// An edge that was planted, and nothing else, is found.
mod edge;
/// The vendor, stood in for, with everything that can go wrong on the way to the cache.
mod fetch;
/// Prints to events: tapes one can check by hand, and properties.
mod flow;
/// What must always hold.
mod laws;
/// LEAN's real data, when it is there.
mod lean;
/// `flowlab live` as a process: alerts, state, signals to stop.
#[cfg(feature = "live")]
mod live;
/// The vendor's stream, with everything that can go wrong on the way to signals and trades.
#[cfg(all(unix, feature = "live"))]
mod live_stream;
/// A synthetic market to cut and spoil.
mod market;
/// The fast code against the words of the spec.
mod oracle;
/// Tables as people and programs read them.
mod report;
/// The vendor on this machine, with faults on demand.
#[path = "../standin/mod.rs"]
mod standin;
/// The synthetic market as the stand-in serves it.
#[path = "../synthetic_world.rs"]
mod synthetic_world;
