//! [`Driver`]: the real loop on a fake tree and a terminal in memory. Keys go in, frames come out, and
//! effects really happen to the files of the tree.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use oomtop::app::input::key::Key;
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::runtime::screen::{Dashboard, TerminalControl};
use oomtop::ui::theme::{Theme, Themes};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use tokio::sync::mpsc::Sender;

use super::fake_root::FakeRoot;

/// How long a test waits before it fails. A passing test never waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the loop has done to its terminal so far.
#[derive(Debug)]
pub(crate) struct Seen {
    terminal: TestBackend,
    /// The last whole frame, line by line.
    pub(crate) frame: String,
    /// Frames drawn.
    pub(crate) frames: u32,
    /// Times the terminal was cleared.
    pub(crate) cleared: u32,
    /// Times the loop gave the terminal to the shell.
    pub(crate) suspended: u32,
    /// Times the loop took the terminal after an unannounced stop.
    pub(crate) retaken: u32,
}

#[derive(Debug, Clone)]
struct Shared(Arc<(Mutex<Seen>, Condvar)>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.0.lock().expect("not poisoned")
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
        self.0.1.notify_all();
    }
}

/// A [`TestBackend`] that the test sees from another thread.
struct Watched(Shared);

impl Backend for Watched {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.0.lock().terminal.draw(content)
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.0.lock().terminal.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        self.0.lock().terminal.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        self.0.lock().terminal.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.0.lock().terminal.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        let mut seen = self.0.lock();
        seen.cleared += 1;
        seen.terminal.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Infallible> {
        self.0.lock().terminal.clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Infallible> {
        self.0.lock().terminal.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        self.0.lock().terminal.window_size()
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.0.change(|seen| {
            let buffer = seen.terminal.buffer();
            let lines = buffer.content.chunks(usize::from(buffer.area.width));
            let line = |cells: &[Cell]| cells.iter().map(Cell::symbol).collect::<String>() + "\n";
            seen.frame = lines.map(line).collect();
            seen.frames += 1;
        });
        Ok(())
    }
}

/// A shell that resizes the terminal while oomtop is suspended.
struct FakeShell {
    seen: Shared,
    resize: Option<(u16, u16)>,
}

impl TerminalControl for FakeShell {
    fn suspend(&mut self) -> io::Result<()> {
        self.seen.change(|seen| {
            seen.suspended += 1;
            if let Some((width, height)) = self.resize {
                seen.terminal.resize(width, height);
            }
        });
        Ok(())
    }

    fn retake(&mut self) -> io::Result<bool> {
        self.seen.change(|seen| seen.retaken += 1);
        Ok(true)
    }
}

/// A running dashboard. It ends when the test tells it to.
pub(crate) struct Driver {
    seen: Shared,
    send: Sender<Msg>,
    ended: JoinHandle<io::Result<()>>,
}

impl Driver {
    /// Starts the dashboard on a terminal of 120 x 36 cells; a suspension resizes it to `resize`.
    pub(crate) fn start(root: &FakeRoot, settings: Settings, resize: Option<(u16, u16)>) -> Self {
        let seen = Shared(Arc::new((
            Mutex::new(Seen {
                terminal: TestBackend::new(120, 36),
                frame: String::new(),
                frames: 0,
                cleared: 0,
                suspended: 0,
                retaken: 0,
            }),
            Condvar::new(),
        )));
        let dashboard = Dashboard::start(settings, root.sys_root(), BackendChoice::Proc, None)
            .expect("it starts");
        let send = dashboard.sender();
        let shared = seen.clone();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()?;
            let mut terminal =
                Terminal::new(Watched(shared.clone())).expect("no error is possible");
            let mut shell = FakeShell {
                seen: shared,
                resize,
            };
            let theme = Themes::from(Theme::mono());
            runtime.block_on(dashboard.run(&mut terminal, &mut shell, &theme))
        });
        Self { seen, send, ended }
    }

    /// Sends keys by their names, `"a Up Enter"`.
    pub(crate) fn keys(&self, keys: &str) {
        for name in keys.split_whitespace() {
            let key: Key = name.parse().unwrap_or_else(|e| panic!("{e}"));
            self.tell(Msg::Key(key));
        }
    }

    /// Sends any message.
    pub(crate) fn tell(&self, msg: Msg) {
        self.send.blocking_send(msg).expect("the loop runs");
    }

    /// Waits until `wanted` holds.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut wanted: impl FnMut(&Seen) -> bool) {
        let begun = Instant::now();
        let mut seen = self.seen.lock();
        while !wanted(&seen) {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            assert!(!left.is_zero(), "waited for {what}:\n{}", seen.frame);
            // A file may change without a new frame, so look again even if none comes.
            let look = left.min(Duration::from_millis(50));
            seen = (self.seen.0.1)
                .wait_timeout(seen, look)
                .expect("not poisoned")
                .0;
        }
    }

    /// Waits until the text is in the frame.
    #[track_caller]
    pub(crate) fn wait_text(&self, text: &str) {
        self.wait_for(text, |seen| seen.frame.contains(text));
    }

    /// Waits until the loop has ended.
    #[track_caller]
    pub(crate) fn wait_end(self) -> io::Result<()> {
        let begun = Instant::now();
        while !self.ended.is_finished() {
            assert!(begun.elapsed() < PATIENCE, "the loop still runs");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.ended.join().expect("no panic")
    }
}
