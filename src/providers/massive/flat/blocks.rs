//! Blocks: from a file as the vendor ships it to blocks of whole lines, inflated on a thread of their
//! own while the caller reads the block before.
//!
//! A file may have several gzip members, and every member's checksum is verified: a file that ends
//! early or has a wrong bit ends in an error and never as if it were complete. A file that does not
//! begin like gzip is taken for text that somebody has inflated already; of such a file nobody can say
//! whether it is whole.

use std::io::{self, BufReader, Cursor, ErrorKind, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use flate2::bufread::MultiGzDecoder;

/// Text of one block. Small enough to stay in the processor's cache on its way between two cores.
const BLOCK: usize = 256 << 10;
/// Blocks that may wait for the reader.
const AHEAD: usize = 8;
/// So that eight bytes can be looked at wherever a line ends.
const MARGIN: usize = 8;
const INPUT: usize = 128 << 10;
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Whole lines, the last one with its end, and behind them [`MARGIN`] bytes that mean nothing.
#[derive(Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    len: usize,
}

impl Block {
    /// Length of the lines in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The lines and the margin.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// What the thread says. It says `End` when it is through: one that vanished has said nothing.
enum News {
    Lines(Block),
    End,
    Broken(io::Error),
}

pub(super) struct Blocks {
    news: Receiver<News>,
    spent: Sender<Block>,
    is_over: bool,
}

impl Blocks {
    /// Starts to read `input`. The thread ends by itself when the blocks are dropped.
    pub fn of(input: impl Read + Send + 'static) -> io::Result<Blocks> {
        let (tell, news) = sync_channel(AHEAD);
        let (spent, empty) = channel();
        thread::Builder::new()
            .name("inflate".to_owned())
            .spawn(move || {
                let last = match inflate(input, &tell, &empty) {
                    Ok(()) => News::End,
                    Err(error) => News::Broken(error),
                };
                // Nobody waits for it when the reader is gone.
                let _ = tell.send(last);
            })?;
        Ok(Blocks {
            news,
            spent,
            is_over: false,
        })
    }

    /// The next block in place of `block`; false when there is none.
    pub fn next(&mut self, block: &mut Block) -> io::Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        let vanished = || io::Error::other("the inflating thread vanished");
        match self.news.recv().map_err(|_| vanished())? {
            News::Lines(lines) => {
                // The thread may be through and need no more buffers.
                let _ = self.spent.send(std::mem::replace(block, lines));
                Ok(true)
            }
            News::End => {
                self.is_over = true;
                Ok(false)
            }
            News::Broken(error) => Err(error),
        }
    }
}

fn inflate(
    mut input: impl Read,
    tell: &SyncSender<News>,
    empty: &Receiver<Block>,
) -> io::Result<()> {
    let mut start = [0; 2];
    let length = fill(&mut input, &mut start)?;
    let input = Cursor::new(start).take(length as u64).chain(input);
    let input = BufReader::with_capacity(INPUT, input);
    if start == GZIP {
        cut(MultiGzDecoder::new(input), tell, empty)
    } else {
        cut(input, tell, empty)
    }
}

/// Cuts `text` into blocks at the ends of lines.
fn cut(mut text: impl Read, tell: &SyncSender<News>, empty: &Receiver<Block>) -> io::Result<()> {
    // The line that the block before could not end.
    let mut begun = Vec::new();
    loop {
        let mut block = empty.try_recv().unwrap_or_default();
        block.bytes.resize(BLOCK + MARGIN, 0);
        block.bytes[..begun.len()].copy_from_slice(&begun);
        let room = &mut block.bytes[begun.len()..BLOCK];
        let read = fill(&mut text, room)?;
        let is_last = read < room.len();
        let mut filled = begun.len() + read;
        if is_last && filled > 0 && block.bytes[filled - 1] != b'\n' {
            block.bytes[filled] = b'\n';
            filled += 1;
        }
        let end = block.bytes[..filled]
            .iter()
            .rposition(|byte| *byte == b'\n');
        block.len = match end {
            Some(end) => end + 1,
            None if is_last => return Ok(()),
            None => {
                let what = format!("a line is longer than {BLOCK} bytes");
                return Err(io::Error::new(ErrorKind::InvalidData, what));
            }
        };
        begun.clear();
        begun.extend_from_slice(&block.bytes[block.len..filled]);
        if tell.send(News::Lines(block)).is_err() || is_last {
            return Ok(());
        }
    }
}

/// Reads until `room` is full or the input ends, and returns how much that was.
fn fill(input: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < room.len() {
        match input.read(&mut room[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gz(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn lines(count: usize) -> Vec<u8> {
        (0..count)
            .flat_map(|n| format!("line {n}\n").into_bytes())
            .collect()
    }

    fn read(input: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut blocks = Blocks::of(Cursor::new(input))?;
        let (mut text, mut block) = (Vec::new(), Block::default());
        while blocks.next(&mut block)? {
            let lines = &block.bytes()[..block.len()];
            assert_eq!(lines.last(), Some(&b'\n'), "a block ends with a line");
            text.extend_from_slice(lines);
        }
        Ok(text)
    }

    #[test]
    fn blocks_together_are_the_text() {
        let text = lines(200_000);
        assert_eq!(read(gz(&text)).unwrap(), text);
        assert_eq!(
            read(text.clone()).unwrap(),
            text,
            "inflated by somebody else"
        );
        assert_eq!(read(Vec::new()).unwrap(), b"");
    }

    #[test]
    fn members_follow_each_other_wherever_they_are_cut() {
        let text = lines(100);
        let mut input = gz(&text[..333]);
        input.extend(gz(&text[333..334]));
        input.extend(gz(b""));
        input.extend(gz(&text[334..]));
        assert_eq!(read(input).unwrap(), text);
    }

    #[test]
    fn a_last_line_without_its_end_gets_one() {
        assert_eq!(read(gz(b"a\nb")).unwrap(), b"a\nb\n");
        let full = vec![b'x'; BLOCK - 1];
        assert_eq!(read(gz(&full)).unwrap().len(), BLOCK);
    }

    #[test]
    fn a_file_that_ends_early_is_broken_wherever_it_ends() {
        let whole = gz(&lines(1000));
        for end in 1..whole.len() {
            let read = read(whole[..end].to_vec());
            // One byte is not yet a sign of gzip; as text it is one short line.
            assert!(read.is_err() || end == 1, "{end} of {} bytes", whole.len());
        }
    }

    #[test]
    fn a_wrong_bit_is_noticed() {
        let whole = gz(&lines(1000));
        for place in [40, whole.len() / 2, whole.len() - 7, whole.len() - 2] {
            let mut wrong = whole.clone();
            wrong[place] ^= 4;
            assert!(read(wrong).is_err(), "at byte {place} of {}", whole.len());
        }
    }

    #[test]
    fn a_line_that_never_ends_is_refused() {
        let error = read(gz(&vec![b'x'; 3 * BLOCK])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
}
