//! A panic anywhere leaves a sane terminal and says what happened. The program is this test binary,
//! started once more in the pseudo terminal: it runs the real loop on the real screen with one part
//! exchanged for one that panics.

use std::io;

use crate::common::pty::{Launch, Session};
use oomtop::app::input::key::Key;
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::linux::SysRoot;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::runtime::screen::{Dashboard, Screen, ScreenBackend, TerminalControl};
use oomtop::ui::theme::{Theme, Themes};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

/// Tells the second run where to panic.
const PLACE: &str = "OOMTOP_TEST_PANICS_IN";

fn start(place: &str) -> Session {
    let own = std::env::current_exe().expect("the test's own path");
    Launch::program(own.to_str().expect("UTF-8"))
        .args(["panics::child", "--exact", "--ignored", "--nocapture"])
        .env(PLACE, place)
        .start()
}

#[test]
fn a_panic_leaves_a_sane_terminal_and_a_message() {
    for place in ["draw", "update", "another thread"] {
        let mut session = start(place);
        let exit = session.wait_exit();
        assert_eq!(exit.code, 101, "a panic in {place} is not a success");
        session.assert_sane();
        let raw = String::from_utf8_lossy(&session.raw()).into_owned();
        let (before, after) = raw.rsplit_once("\x1b[?1049l").expect("left the screen");
        assert!(
            before.contains("BAD"),
            "no frame before the panic in {place}"
        );
        assert!(
            after.contains("panicked at") && after.contains(&format!("broken {place}")),
            "no word about the panic in {place}:\n{after}"
        );
        assert!(after.contains("the terminal has been restored"), "{after}");
    }
}

/// The real back end, which breaks after a few frames.
struct BreaksInDraw<'a> {
    backend: &'a mut ScreenBackend,
    breaks: bool,
    draws: u32,
}

impl Backend for BreaksInDraw<'_> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.draws += 1;
        self.backend.draw(content)?;
        assert!(!self.breaks || self.draws < 3, "broken draw");
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.backend.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.backend.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.backend.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.backend.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.backend.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.backend.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        self.backend.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.backend.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(self.backend)
    }
}

/// Breaks where the loop handles what the update asks of the terminal.
struct BreaksInUpdate;

impl TerminalControl for BreaksInUpdate {
    fn suspend(&mut self) -> io::Result<()> {
        panic!("broken update")
    }

    fn retake(&mut self) -> io::Result<bool> {
        Ok(false)
    }
}

#[test]
#[ignore = "the second start of the test above"]
fn child() {
    let Ok(place) = std::env::var(PLACE) else {
        return;
    };
    let mut screen = Screen::enter(true).expect("a terminal");
    let root = SysRoot::default();
    let dashboard = Dashboard::start(Settings::default(), root, BackendChoice::Proc, None);
    let dashboard = dashboard.expect("the processes of this machine");
    let send = dashboard.sender();
    let broken = place.clone();
    std::thread::spawn(move || {
        // A whole frame, with a table, comes first.
        std::thread::sleep(std::time::Duration::from_secs(1));
        match &*broken {
            "update" => {
                let key: Key = "Ctrl-z".parse().expect("a key");
                send.blocking_send(Msg::Key(key)).expect("the loop runs");
            }
            "another thread" => panic!("broken another thread"),
            _ => {}
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let theme = Themes::from(Theme::mono());
    let backend = BreaksInDraw {
        backend: screen.terminal.backend_mut(),
        breaks: place == "draw",
        draws: 0,
    };
    let mut terminal = Terminal::new(backend).expect("a terminal");
    let _ = runtime.block_on(dashboard.run(&mut terminal, &mut BreaksInUpdate, &theme));
}
