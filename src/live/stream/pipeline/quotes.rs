//! Quotes: asked for where the tape wants them, once.

use std::collections::VecDeque;

use super::super::Wanted;
use super::{Pipeline, StreamError};
use crate::flow::Sight;
use crate::live::errands::Errand;

impl Pipeline<'_> {
    /// What prints met; the tape may then ask for more.
    pub(super) fn sights(
        &mut self,
        contract: u32,
        mut sights: Vec<Sight>,
    ) -> Result<(), StreamError> {
        let asked = self.tape.asked(contract);
        sights.resize(asked, Sight::NONE);
        if let Some(kept) = &mut self.kept {
            kept.sights(contract, &sights)?;
        }
        let wanted = self.tape.answer(contract, &sights, self.order.watermark());
        self.ask_for_quotes(
            wanted
                .map(|wanted| (contract, wanted))
                .into_iter()
                .collect(),
        );
        Ok(())
    }

    pub(super) fn ask_for_quotes(&mut self, wanted: Vec<(u32, Wanted)>) {
        let mut wanted = VecDeque::from(wanted);
        while let Some((contract, question)) = wanted.pop_front() {
            // An earlier process may have asked already.
            let asked = question.prints.len();
            let known = self.sights.get_mut(&contract);
            if let Some(known) = known.filter(|known| known.len() >= asked) {
                let sights: Vec<Sight> = known.drain(..asked).collect();
                let more = self.tape.answer(contract, &sights, self.order.watermark());
                wanted.extend(more.map(|more| (contract, more)));
                continue;
            }
            self.sights.remove(&contract);
            match &self.errands {
                Some(errands) => errands.ask(Errand::Quotes {
                    wanted: question,
                    rules: self.rules,
                }),
                None => {
                    let more = self.tape.answer(contract, &[], self.order.watermark());
                    wanted.extend(more.map(|more| (contract, more)));
                }
            }
        }
    }
}
