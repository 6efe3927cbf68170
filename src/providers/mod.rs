//! Providers: from a vendor's data to the tables of the store. A vendor's own types never leave its folder.

pub mod account;
mod address;
pub mod exchange_day;
pub mod lean;
pub mod massive;
mod numbers;
pub mod roots;
pub mod synthetic;
pub mod tables;
pub mod unusual_whales;
mod words;

pub use address::is_loopback;
