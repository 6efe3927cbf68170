//! Counts: what became of the prints of a tape. Parts simply add.

/// Every print is read, and ends under exactly one of the next six names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowCounts {
    pub read: u64,
    /// In an event.
    pub merged: u64,
    /// Cancelled before their event was complete.
    pub cancelled_in_time: u64,
    /// Cancels themselves.
    pub cancels: u64,
    pub corrected: u64,
    pub late: u64,
    pub compressions: u64,

    /// Cancels that mean no print on the tape.
    pub unmatched_cancels: u64,
    /// Prints with a code that is not in the list, or none; they are regular.
    pub condition_unknown: u64,

    /// Events before the floor.
    pub events: u64,
    pub below_floor: u64,
}

impl FlowCounts {
    pub fn add(&mut self, other: &FlowCounts) {
        let mut names = self.named_mut();
        for ((_, sum), (_, more)) in names.iter_mut().zip(other.named()) {
            **sum += more;
        }
    }

    /// Prints and events that did not come to a stored event, by reason, and what is odd.
    pub fn named(&self) -> [(&'static str, u64); 11] {
        let mut copy = *self;
        copy.named_mut().map(|(name, count)| (name, *count))
    }

    fn named_mut(&mut self) -> [(&'static str, &mut u64); 11] {
        [
            ("read", &mut self.read),
            ("merged", &mut self.merged),
            ("cancelled_in_time", &mut self.cancelled_in_time),
            ("cancels", &mut self.cancels),
            ("corrected", &mut self.corrected),
            ("late", &mut self.late),
            ("compressions", &mut self.compressions),
            ("unmatched_cancels", &mut self.unmatched_cancels),
            ("condition_unknown", &mut self.condition_unknown),
            ("events", &mut self.events),
            ("below_floor", &mut self.below_floor),
        ]
    }
}
