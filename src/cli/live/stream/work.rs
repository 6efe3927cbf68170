//! The work: messages through the pipeline, one breath after the other, until it is time to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use super::super::pace::Pace;
use super::super::{Args, Speed};
use super::{BATCH, BREATH};
use crate::cli::failure::Failure;
use crate::live::stream::{Pipeline, StreamError};
use crate::live::{Message, Recorder, Recording, Run, Upkeep, wall_clock};
use crate::time::Ts;

/// What works off messages.
pub(super) struct Work<'w, 'p, 'r> {
    pub(super) pipeline: &'w mut Pipeline<'p>,
    pub(super) run: &'w mut Run<'r>,
    pub(super) upkeep: &'w mut Upkeep,
    pub(super) recorder: &'w mut Option<Recorder>,
    pub(super) stop: &'w AtomicBool,
}

impl Work<'_, '_, '_> {
    /// Works off `messages` until it is told to stop or the day is over.
    pub(super) fn until(
        &mut self,
        messages: &Receiver<Message>,
        is_over: impl Fn() -> bool,
    ) -> anyhow::Result<()> {
        while !self.stop.load(Ordering::Relaxed) && !is_over() {
            match messages.recv_timeout(BREATH) {
                Ok(message) => self.take(wall_clock(), message)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            for message in messages.try_iter().take(BATCH) {
                self.take(wall_clock(), message)?;
            }
            self.breathe()?;
        }
        Ok(())
    }

    /// Tells a recording, at its own pace or faster.
    pub(super) fn recording(&mut self, args: &Args) -> anyhow::Result<()> {
        let path = args.recording.as_deref().expect("clap asks for it");
        let mut recording = Recording::open(path)?;
        let mut pace = Pace::new(args.speed.unwrap_or(Speed::Max));
        while let Some((at, message)) = recording.next_message()? {
            pace.turn_to(at);
            while pace.waits() {
                self.breathe()?;
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
            }
            self.take(at, message)?;
            self.breathe()?;
        }
        self.pipeline.end(self.run)?;
        // What was told is still delivered.
        while !self.stop.load(Ordering::Relaxed) && !self.run.is_delivered(BREATH) {
            self.upkeep.look(self.run)?;
        }
        Ok(())
    }

    fn take(&mut self, at: Ts, message: Message) -> anyhow::Result<()> {
        if let Some(recorder) = self.recorder {
            recorder.record(at, &message)?;
        }
        self.pipeline.take(message, self.run).map_err(what_to_do)?;
        self.record_moments()
    }

    /// What the pipeline did of itself goes behind what made it do so.
    fn record_moments(&mut self) -> anyhow::Result<()> {
        for moment in self.pipeline.moments() {
            if let Some(recorder) = self.recorder {
                recorder.record(wall_clock(), &Message::Moment(moment))?;
            }
        }
        Ok(())
    }

    fn breathe(&mut self) -> anyhow::Result<()> {
        self.pipeline.idle(self.run)?;
        self.record_moments()?;
        if let Some(recorder) = self.recorder {
            recorder.flush()?;
        }
        self.pipeline.flush()?;
        Ok(self.upkeep.look(self.run)?)
    }
}

/// A refusal is for whoever has the key and the plan.
fn what_to_do(error: StreamError) -> anyhow::Error {
    match error {
        StreamError::Refused { .. } => Failure::failed(error.to_string())
            .hint("the key goes into POLYGON_MASSIVE_KEY, and its plan has to have the websockets of options and stocks")
            .into(),
        error => error.into(),
    }
}
