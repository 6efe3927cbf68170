//! Patience: from refusals to waits that grow, until there is no more point in it.

use std::thread;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::reply::Refusal;
use super::s3::FlatFiles;
use super::s3_error::S3Error;
use super::settings::S3Settings;

/// No wait is longer, whatever the server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// How long the wish to stop may go unnoticed in a wait.
const SLICE: Duration = Duration::from_millis(50);

/// How many tries are left, and how long to wait before the next.
pub(super) struct Patience {
    tries: usize,
    waits: ExponentialBackoff,
}

impl Patience {
    pub fn of(settings: &S3Settings) -> Patience {
        let waits = ExponentialBuilder::new()
            .with_min_delay(settings.first_wait)
            .with_max_delay(settings.longest_wait)
            .with_max_times(settings.tries.saturating_sub(1))
            .with_jitter();
        Patience {
            tries: 1,
            waits: waits.build(),
        }
    }

    /// Waits after `refusal`, or fails when there is no point in it.
    pub fn wait(
        &mut self,
        files: &FlatFiles,
        object: &str,
        refusal: Refusal,
    ) -> Result<(), S3Error> {
        let object = object.to_owned();
        let (what, after) = match refusal {
            Refusal::Again { what, after } => (what, after),
            Refusal::Final(error) => return Err(error),
            Refusal::Changed { got } => {
                return Err(S3Error::Malformed {
                    object,
                    what: format!("a condition nobody made is not met, ETag is {got}"),
                });
            }
        };
        let Some(wait) = self.waits.next() else {
            return Err(S3Error::Exhausted {
                object,
                tries: self.tries,
                last: what,
            });
        };
        self.tries += 1;
        files.count_retry();
        let wait = after.unwrap_or(wait).min(LONGEST_WAIT);
        log::debug!("{object}: {what}, again in {wait:.1?}");
        let started = Instant::now();
        while let Some(left) = wait.checked_sub(started.elapsed()) {
            files.check_stop(&object)?;
            if left.is_zero() {
                break;
            }
            thread::sleep(left.min(SLICE));
        }
        Ok(())
    }
}
