//! The terminal: taken over when the screen opens, given back when it goes, whichever way.

use std::io::{self, IsTerminal, Stdout};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::style::force_color_output;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

type Drawn = Terminal<CrosstermBackend<Stdout>>;

/// The terminal while it shows the screen.
pub struct Taken {
    /// `None` only while it is given back.
    terminal: Option<Drawn>,
    is_given_back: Arc<AtomicBool>,
    hook_before: Arc<PanicHook>,
}

type PanicHook = Box<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync>;

impl Taken {
    /// Fails when stdout is no terminal, or when the terminal refuses.
    pub fn take() -> io::Result<Taken> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::other(
                "the screen needs a terminal, and stdout is not one",
            ));
        }
        enable_raw_mode()?;
        // From here on whatever fails gives the terminal back by dropping this.
        let is_given_back = Arc::new(AtomicBool::new(false));
        let mut taken = Taken {
            terminal: None,
            hook_before: watch_panics(Arc::clone(&is_given_back)),
            is_given_back,
        };
        execute!(io::stdout(), EnterAlternateScreen)?;
        taken.terminal = Some(Terminal::new(CrosstermBackend::new(io::stdout()))?);
        Ok(taken)
    }

    /// Draws a frame. Fails when the terminal is gone, or a panic somewhere gave it back already.
    pub fn draw(
        &mut self,
        is_coloured: bool,
        frame: impl FnOnce(&mut ratatui::Frame),
    ) -> io::Result<()> {
        if self.is_given_back.load(Ordering::SeqCst) {
            return Err(io::Error::other("the screen closed because of a panic"));
        }
        // Who says whether there are colours is the caller; the library would ask the environment.
        force_color_output(is_coloured);
        let terminal = self
            .terminal
            .as_mut()
            .expect("it is drawn on until dropped");
        terminal.draw(frame)?;
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(mut terminal) = self.terminal.take()
            && terminal.show_cursor().is_err()
        {
            // It would complain to stderr about a terminal that is gone, where stderr is gone too.
            std::mem::forget(terminal);
        }
        give_back(&self.is_given_back);
        // Hooks cannot be changed while panicking, and then the process ends anyway.
        if !thread::panicking() {
            let hook = Arc::clone(&self.hook_before);
            panic::set_hook(Box::new(move |info| hook(info)));
        }
    }
}

/// Has the terminal given back before a panic of any thread is told, so that it can be read. Returns
/// the hook there was.
fn watch_panics(is_given_back: Arc<AtomicBool>) -> Arc<PanicHook> {
    let before: Arc<PanicHook> = Arc::new(panic::take_hook());
    let hook = Arc::clone(&before);
    panic::set_hook(Box::new(move |info| {
        give_back(&is_given_back);
        hook(info);
    }));
    before
}

/// Once only: leaving the screen again would move the cursor back over what was written since. Both
/// steps are tried and no failure is told, because a terminal that is gone wants nothing back.
fn give_back(is_given_back: &AtomicBool) {
    if !is_given_back.swap(true, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}
