//! What strategies remember from one event to the next: recent sweeps, and a chain's notional.

use std::collections::{HashMap, VecDeque};

use super::Direction;
use crate::config::MemoryConfig;
use crate::flow::FlowEvent;
use crate::time::Ts;

/// How long a sweep counts towards a cluster, both ends included.
const CLUSTER_MINUTES: i64 = 15;
const CLUSTER_SWEEPS: usize = 2;

/// When sweeps of either direction became available, within the last quarter of an hour.
#[derive(Clone, Debug, Default)]
pub struct RecentSweeps {
    bullish: VecDeque<Ts>,
    bearish: VecDeque<Ts>,
}

impl RecentSweeps {
    /// Remembers `event` if it is a sweep.
    pub fn see(&mut self, event: &FlowEvent, direction: Direction) {
        if event.is_sweep {
            self.of(direction).push_back(event.available_at);
        }
    }

    /// Whether enough sweeps in `direction`, `event` included, became available within the window.
    pub fn clusters_at(&mut self, event: &FlowEvent, direction: Direction) -> bool {
        let oldest = event.available_at.plus_minutes(-CLUSTER_MINUTES);
        let sweeps = self.of(direction);
        while sweeps.front().is_some_and(|seen| *seen < oldest) {
            sweeps.pop_front();
        }
        sweeps.len() >= CLUSTER_SWEEPS
    }

    fn of(&mut self, direction: Direction) -> &mut VecDeque<Ts> {
        match direction {
            Direction::Bullish => &mut self.bullish,
            Direction::Bearish => &mut self.bearish,
        }
    }
}

/// Notional per contract and direction over the last sessions.
///
/// It keeps one sum per session, so that what a session adds does not depend on what was there
/// before it: a run that starts earlier arrives at the same bits.
#[derive(Clone, Debug)]
pub struct ChainMemory {
    config: MemoryConfig,
    session: u32,
    /// Per contract: bullish, bearish.
    chains: HashMap<Box<str>, [Sums; 2]>,
}

/// Session ordinal and the notional seen in it, oldest first.
type Sums = VecDeque<(u32, f64)>;

impl ChainMemory {
    pub fn new(config: MemoryConfig) -> ChainMemory {
        ChainMemory {
            config,
            session: 0,
            chains: HashMap::new(),
        }
    }

    /// Adds `event`, seen in session number `session`, and returns what its contract and direction
    /// then amount to, dollars.
    pub fn add(&mut self, event: &FlowEvent, session: u32, direction: Direction) -> f64 {
        let oldest = (session + 1).saturating_sub(self.config.memory_sessions);
        if session != self.session {
            self.session = session;
            self.forget_before(oldest);
        }
        if !self.chains.contains_key(event.contract) {
            self.chains
                .insert(event.contract.into(), Default::default());
        }
        let chain = self
            .chains
            .get_mut(event.contract)
            .expect("it was inserted above");
        let sums = &mut chain[direction as usize];
        match sums.back_mut() {
            Some((last, sum)) if *last == session => *sum += event.notional,
            _ => sums.push_back((session, event.notional)),
        }
        sums.iter()
            .filter(|(seen, _)| *seen >= oldest)
            .map(|(_, sum)| sum)
            .sum()
    }

    fn forget_before(&mut self, oldest: u32) {
        self.chains.retain(|_, chain| {
            for sums in chain.iter_mut() {
                sums.retain(|(session, _)| *session >= oldest);
            }
            chain.iter().any(|sums| !sums.is_empty())
        });
    }
}
