//! One test binary; a module per subject.

/// The program as a user meets it, above all on bad input.
mod cli;
/// What a config file may say, and how it is told that it may not.
mod config;
/// LEAN's real data, when it is there.
mod lean;
/// Tables as people and programs read them.
mod report;
