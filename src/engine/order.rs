//! Order: from events as stored, by (ts, seq), to events as a listener learns of them, by
//! (available_at, ts, seq).

use std::rc::Rc;

use crate::store::{FlowBatch, FlowBatches, StoreError};

type Key = (i64, i64, u32);

/// Calls `show` for every event in order of arrival, until it answers false. Holds two batches and
/// the few events that were not known yet when the next batch began.
pub fn in_order_of_arrival(
    batches: &mut FlowBatches,
    mut show: impl FnMut(&FlowBatch, usize) -> bool,
) -> Result<(), StoreError> {
    let mut waiting: Vec<(Key, Rc<FlowBatch>, usize)> = Vec::new();
    let mut next = batches.next_batch()?;
    while let Some(batch) = next {
        next = batches.next_batch()?;
        // No later event can be known before its own time.
        let horizon = next.as_ref().map_or(i64::MAX, FlowBatch::first_ts);
        let batch = Rc::new(batch);
        let sorted = sort(&batch);
        let row = |place: usize| sorted.as_ref().map_or(place, |rows| rows[place] as usize);
        let mut place = 0;
        let mut held = waiting.drain(..).peekable();
        let mut late = Vec::new();
        loop {
            let fresh = (place < batch.len()).then(|| batch.key(row(place)));
            let from_held = match (held.peek(), fresh) {
                (Some((old, ..)), Some(new)) => *old < new,
                (held, _) => held.is_some(),
            };
            let (key, source, row) = if from_held {
                held.next().expect("it was peeked at")
            } else if let Some(key) = fresh {
                place += 1;
                (key, batch.clone(), row(place - 1))
            } else {
                break;
            };
            if key.0 >= horizon {
                late.push((key, source, row));
            } else if !show(&source, row) {
                return Ok(());
            }
        }
        drop(held);
        waiting = late;
    }
    debug_assert!(
        waiting.is_empty(),
        "the last horizon lets everything through"
    );
    Ok(())
}

/// The rows of `batch` in order of arrival; `None` when they already stand in it.
fn sort(batch: &FlowBatch) -> Option<Vec<u32>> {
    if batch.is_in_order_of_arrival() {
        return None;
    }
    let mut rows: Vec<u32> = (0..batch.len() as u32).collect();
    rows.sort_unstable_by_key(|row| batch.key(*row as usize));
    Some(rows)
}
