//! Volume: a contract's count of the day, and what later cancels took from it.

use crate::time::Ts;

/// The contracts counted so far.
#[derive(Debug, Default)]
pub struct Volume {
    now: i64,
    cancels: Vec<Cancel>,
}

#[derive(Debug)]
struct Cancel {
    /// Number of the print that was cancelled.
    number: u32,
    size: i64,
    at: Ts,
    /// Prints received before the cancel.
    seen: u32,
}

impl Volume {
    pub fn now(&self) -> i64 {
        self.now
    }

    pub fn add(&mut self, size: i64) {
        self.now += size;
    }

    /// Print `number` was cancelled at `at`, after `seen` prints had been received.
    pub fn cancel(&mut self, number: u32, size: i64, at: Ts, seen: u32) {
        self.now -= size;
        self.cancels.push(Cancel {
            number,
            size,
            at,
            seen,
        });
    }

    /// What cancels take from the volume counted at print `last` when it is seen from `known_at`: those
    /// received since, before that instant; and none of those received sooner at that very instant,
    /// which can only be when there is no wait.
    pub fn cancelled_since(&self, last: u32, known_at: Ts) -> i64 {
        let sum = |is_meant: &dyn Fn(&&Cancel) -> bool| -> i64 {
            self.cancels.iter().filter(is_meant).map(|c| c.size).sum()
        };
        let since = sum(&|c| c.seen > last && c.number <= last && c.at < known_at);
        since - sum(&|c| c.seen <= last && c.at >= known_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_lowers_the_volume_of_the_events_that_were_waiting_for_it() {
        let mut volume = Volume::default();
        [10, 20, 30].into_iter().for_each(|size| volume.add(size));
        volume.cancel(1, 20, Ts::from_ns(5), 3);
        assert_eq!(volume.now(), 40);
        // Known before the event of print 2 was complete, and part of its volume.
        assert_eq!(volume.cancelled_since(2, Ts::from_ns(6)), 20);
        // At the same instant the event stands.
        assert_eq!(volume.cancelled_since(2, Ts::from_ns(5)), 0);
        // The event of print 0 never counted print 1.
        assert_eq!(volume.cancelled_since(0, Ts::from_ns(6)), 0);
        volume.add(5);
        assert_eq!(volume.cancelled_since(3, Ts::from_ns(6)), 0);
    }
}
