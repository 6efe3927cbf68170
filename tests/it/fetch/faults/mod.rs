//! Faults: what goes wrong, where, and how it must end.
//!
//! ```text
//!   fault ──> a cache byte by byte that of an undisturbed fetch
//!         ──> a gap with its reason (exit 3), or the end of it (exit 1) ──> fault gone, fetch again
//!                                                                       ──> the same cache
//! ```

mod matrix;

use std::path::Path;

use flowlab::fetch::{FetchError, Outcome, Source};

use super::{Ask, cache, differing, half_written, options, undisturbed, world};
use crate::standin::Server;
use crate::standin::faults::{Fault, Kind};
use crate::standin::log::Origin;

/// How a fetch ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// As if nothing had been.
    Same,
    /// With the same tables, made of a file with other bytes.
    SameTables,
    /// With the same tables, and rows are named as bad: exit 3, for nobody knows what they were.
    SameWithBadRows,
    /// With a gap whose reason holds this.
    Gap(&'static str),
    /// With a gap whose reason holds this, and with flow that does without: the plan may stay as it
    /// is. Under a larger one it takes a refresh.
    GapUntilRefresh(&'static str),
    /// Without what the plan lacks, which a note says that holds this. Likewise.
    NoteUntilRefresh(&'static str),
    /// With an error that holds this, before its time.
    Stops(&'static str),
}
use End::{Gap, GapUntilRefresh, NoteUntilRefresh, Same, SameTables, SameWithBadRows, Stops};

/// The source by which a fault that strikes `on` is met.
fn source_of(on: &str) -> Source {
    match on.starts_with("s3") {
        true => Source::Flat,
        false => Source::Rest,
    }
}

/// Runs one fault through all places and says which of them did not end as expected.
fn each(places: &[&str], kind: Kind, times: usize, end: End) -> Vec<String> {
    let run = |on: &&str| {
        let fault = Fault::on(on, kind.clone()).times(times);
        let wrong = one(source_of(on), fault, end).err()?;
        Some(format!("{kind:?} x {times} at {on}: {wrong}"))
    };
    places.iter().filter_map(run).collect()
}

fn one(source: Source, fault: Fault, end: End) -> Result<(), String> {
    let server = Server::start(world(), options());
    server.inject(fault);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ended = Ask::of(source).fetch(&server, folder.path());
    let has_struck = server.requests().iter().any(|r| !r.faults.is_empty());
    if !has_struck {
        return Err("the fault never struck".to_owned());
    }
    check_end(source, &ended, end, folder.path())?;
    let left = cache(folder.path());
    if !half_written(&left).is_empty() {
        return Err(format!("left behind: {:?}", half_written(&left)));
    }
    if !matches!(end, Same | SameTables | SameWithBadRows) {
        server.clear_faults();
        let again = Ask {
            refresh: matches!(end, GapUntilRefresh(_) | NoteUntilRefresh(_)),
            ..Ask::of(source)
        };
        let again = again.fetch(&server, folder.path());
        check_end(source, &again, Same, folder.path())
            .map_err(|wrong| format!("when it was gone: {wrong}"))?;
    }
    check_secrets(&server)
}

fn check_end(
    source: Source,
    ended: &Result<Outcome, FetchError>,
    end: End,
    folder: &Path,
) -> Result<(), String> {
    match (ended, end) {
        (Ok(outcome), Same | SameTables | SameWithBadRows) => {
            if !outcome.gaps.is_empty() {
                return Err(format!("gaps {:?}", outcome.gaps));
            }
            let has_bad_rows = outcome.bad_row_count > 0;
            if has_bad_rows != matches!(end, SameWithBadRows) || has_bad_rows != outcome.has_gaps()
            {
                return Err(format!("bad rows {:?}", outcome.bad_rows));
            }
            let mut differing = differing(&cache(folder), undisturbed(source));
            if !matches!(end, Same) {
                // Of a flat file with other bytes the ledger keeps another ETag.
                differing.retain(|path| path != "flat_files.json");
            }
            match differing.is_empty() {
                true => Ok(()),
                false => Err(format!("not the same: {differing:?}")),
            }
        }
        (Ok(outcome), NoteUntilRefresh(expected)) => {
            let is_said = outcome.notes.iter().any(|note| note.contains(expected));
            match is_said && !outcome.has_gaps() {
                true => Ok(()),
                false => Err(format!("{:?}, gaps {:?}", outcome.notes, outcome.gaps)),
            }
        }
        (Ok(outcome), Gap(expected) | GapUntilRefresh(expected)) => {
            let mut reasons = outcome.gaps.keys().map(|(_, reason)| reason);
            match reasons.any(|reason| reason.contains(expected)) {
                true => Ok(()),
                false => Err(format!("gaps {:?}, expected {expected}", outcome.gaps)),
            }
        }
        (Err(error), Stops(expected)) if error.to_string().contains(expected) => Ok(()),
        (Err(error), _) => Err(format!("ended with {error}")),
        (Ok(outcome), Stops(_)) => Err(format!("went on to {outcome:?}")),
    }
}

/// The key goes to one address, in its header; signatures go to the other.
fn check_secrets(server: &Server) -> Result<(), String> {
    if !server.requests_elsewhere().is_empty() {
        return Err("somebody went to the foreign origin".to_owned());
    }
    let requests = server.requests();
    let mut rest = requests.iter().filter(|r| r.origin == Origin::Rest);
    match rest.any(|request| request.secret_in_query || !request.authorization) {
        true => Err("a key in an address, or none".to_owned()),
        false => Ok(()),
    }
}

fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A fault that strikes at many places.
type Row<'a> = (&'a [&'a str], Kind, usize, End);

fn all(rows: &[Row]) {
    let wrong = rows
        .iter()
        .flat_map(|(places, kind, times, end)| each(places, kind.clone(), *times, *end));
    none(wrong.collect());
}
