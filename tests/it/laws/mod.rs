//! The laws, one file each. If only one folder of tests could be kept, it would be this one.

/// What some modules must not know.
mod absences;
/// 3. Same input and config, same bytes, whatever the threads.
mod determinism;
/// 4. A replay writes what a backtest writes, killed or not.
#[cfg(feature = "live")]
mod live_is_the_backtest;
/// 1. What comes later changes nothing before it.
mod no_look_ahead;
/// 2. An earlier start changes nothing inside the period.
mod no_start_date_effect;
/// 5. Every event is counted, under a signal or under a reason.
mod nothing_lost;
/// Keys go to the vendor and nowhere else.
mod secrets;
