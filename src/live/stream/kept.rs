//! Kept prints: the day's prints as they were settled, and the answers to what was asked about them, so
//! that a restart need not ask for the whole day again.
//!
//! The file is a cache: what a kill tore off it, or all of it, REST has too.

use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::order::Numbered;
use crate::flow::{Print, Sight};
use crate::time::Ts;

#[derive(Serialize, Deserialize)]
enum Line<'a> {
    /// A number and the contract it stands for from here on.
    #[serde(rename = "c")]
    Contract(u32, std::borrow::Cow<'a, str>),
    #[serde(rename = "p")]
    Print(u32, Print),
    /// What the prints that were asked for met, one for each.
    #[serde(rename = "s")]
    Sights(u32, std::borrow::Cow<'a, [Sight]>),
}

/// The day's file, open for more.
pub struct KeptPrints {
    file: BufWriter<File>,
    named: usize,
}

/// What an earlier process kept of the day.
#[derive(Default)]
pub struct Recovered {
    /// In order of time, by the symbol of the contract.
    pub prints: Vec<(u32, Print)>,
    pub symbols: Vec<String>,
    /// What those that were asked for met, one after the other.
    pub sights: HashMap<u32, VecDeque<Sight>>,
}

impl KeptPrints {
    /// Opens `path` or begins it. The last instant is cut off: it may not be whole.
    pub fn open(path: &Path) -> io::Result<(KeptPrints, Recovered)> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path)?;
        let (recovered, whole) = read(&file)?;
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        let kept = KeptPrints {
            file: BufWriter::with_capacity(1 << 20, file),
            named: recovered.symbols.len(),
        };
        Ok((kept, recovered))
    }

    /// A print was settled. `symbol` names a contract that was not named yet; numbers ascend.
    pub fn print<'s>(
        &mut self,
        numbered: &Numbered,
        symbol: impl Fn(u32) -> &'s str,
    ) -> io::Result<()> {
        while self.named <= numbered.contract as usize {
            let number = self.named as u32;
            self.line(&Line::Contract(number, symbol(number).into()))?;
            self.named += 1;
        }
        self.line(&Line::Print(numbered.contract, numbered.print))
    }

    pub fn sights(&mut self, contract: u32, sights: &[Sight]) -> io::Result<()> {
        self.line(&Line::Sights(contract, sights.into()))
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What the file holds before its last instant, and where that begins.
fn read(file: &File) -> io::Result<(Recovered, u64)> {
    let mut recovered = Recovered::default();
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut text = Vec::new();
    let mut at = 0;
    // Where the last instant begins, and what there was before it.
    let mut last: Option<(Ts, u64, usize, usize)> = None;
    // Answers since then, by contract: they go with it, or those that follow would be taken for them.
    let mut answered: HashMap<u32, usize> = HashMap::new();
    loop {
        text.clear();
        let read = reader.read_until(b'\n', &mut text)? as u64;
        let line = match text.last() {
            Some(b'\n') => serde_json::from_slice::<Line>(&text).ok(),
            _ => None,
        };
        let Some(line) = line else { break };
        match line {
            Line::Contract(_, symbol) => {
                recovered.symbols.push(symbol.into_owned());
            }
            Line::Print(number, print) => {
                if last.is_none_or(|(ts, ..)| ts != print.ts) {
                    last = Some((
                        print.ts,
                        at,
                        recovered.prints.len(),
                        recovered.symbols.len(),
                    ));
                    answered.clear();
                }
                recovered.prints.push((number, print));
            }
            Line::Sights(number, sights) => {
                *answered.entry(number).or_default() += sights.len();
                let answers = recovered.sights.entry(number).or_default();
                answers.extend(sights.into_owned());
            }
        }
        at += read;
    }
    if let Some((_, end, prints, symbols)) = last {
        recovered.prints.truncate(prints);
        recovered.symbols.truncate(symbols);
        for (number, count) in answered {
            let answers = recovered.sights.entry(number).or_default();
            answers.truncate(answers.len() - count);
        }
        at = end;
    }
    Ok((recovered, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Codes;

    fn print(ms: i64) -> Numbered {
        let print = Print {
            ts: Ts::from_ns(ms * 1_000_000),
            price: 1.0,
            size: 1,
            exchange: 300,
            conditions: Codes::one(209),
            correction: 0,
        };
        Numbered { contract: 0, print }
    }

    #[test]
    fn answers_that_came_after_the_last_whole_instant_go_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prints");
        let known = |volume| Sight {
            volume: Some(volume),
            ..Sight::NONE
        };
        let (mut kept, _) = KeptPrints::open(&path).unwrap();
        for (ms, volume) in [(1, 1), (2, 2)] {
            kept.print(&print(ms), |_| "A").unwrap();
            kept.sights(0, &[known(volume)]).unwrap();
        }
        kept.flush().unwrap();
        let (mut kept, recovered) = KeptPrints::open(&path).unwrap();
        assert_eq!(recovered.prints, [(0, print(1).print)]);
        assert_eq!(recovered.sights[&0], [known(1)]);
        // Told again, and answered again.
        for (ms, volume) in [(2, 2), (3, 3)] {
            kept.print(&print(ms), |_| "A").unwrap();
            kept.sights(0, &[known(volume)]).unwrap();
        }
        kept.flush().unwrap();
        let (_, recovered) = KeptPrints::open(&path).unwrap();
        assert_eq!(recovered.prints.len(), 2);
        assert_eq!(recovered.sights[&0], [known(1), known(2)]);
    }
}
