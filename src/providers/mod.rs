//! Providers: from a vendor's data to the tables of the store. A vendor's own types never leave its folder.

pub mod lean;
pub mod synthetic;
