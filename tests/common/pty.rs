//! Runs a program, by default the real binary, in a real pseudo terminal and looks at its screen.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal};

use super::output::{Output, collect};
use super::patience::{PATIENCE, beside, until};
use super::screen::Screen;

/// A program to be started in a pseudo terminal.
pub(crate) struct Launch {
    command: CommandBuilder,
    size: (u16, u16),
}

impl Launch {
    /// The binary of this package.
    pub(crate) fn oomtop() -> Self {
        Self::program(env!("CARGO_BIN_EXE_oomtop"))
    }

    /// Any program, e.g. a shell that starts the binary as a job.
    pub(crate) fn program(path: &str) -> Self {
        let mut command = CommandBuilder::new(path);
        command.cwd(env!("CARGO_MANIFEST_DIR"));
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env_remove("NO_COLOR");
        // Do not read the settings of the user who runs the tests.
        command.env("XDG_CONFIG_HOME", "/nonexistent");
        command.env("COLORTERM", "truecolor");
        Self {
            command,
            size: (120, 36),
        }
    }

    /// Terminal size as columns, rows.
    pub(crate) fn size(mut self, cols: u16, rows: u16) -> Self {
        self.size = (cols, rows);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<std::ffi::OsStr>>(
        mut self,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        self.command.args(args);
        self
    }

    /// Where the program starts.
    pub(crate) fn cwd(mut self, dir: &std::path::Path) -> Self {
        self.command.cwd(dir);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Opens the terminal and starts the program in it.
    pub(crate) fn start(self) -> Session {
        beside();
        let (cols, rows) = self.size;
        let pair = native_pty_system()
            .openpty(PtySize {
                rows,
                cols,
                pixel_width: 0,
                pixel_height: 0,
            })
            .expect("a pseudo terminal");
        let child = pair
            .slave
            .spawn_command(self.command)
            .expect("the program starts");
        drop(pair.slave);
        let output = Arc::new((Mutex::new(Output::of(cols, rows)), Condvar::new()));
        let reader = pair.master.try_clone_reader().expect("a reader");
        let shared = Arc::clone(&output);
        std::thread::spawn(move || collect(reader, &shared));
        Session {
            writer: pair.master.take_writer().expect("a writer"),
            master: pair.master,
            child,
            output,
        }
    }
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exit {
    /// Exit code; meaningless when `signal` is set.
    pub(crate) code: u32,
    /// Name of the signal that ended it.
    pub(crate) signal: Option<String>,
}

/// A running program and its terminal. Dropping it kills the program.
pub(crate) struct Session {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Arc<(Mutex<Output>, Condvar)>,
}

impl Session {
    /// Starts the binary in a terminal of `size` (columns, rows).
    pub(crate) fn start(size: (u16, u16), args: &[&str]) -> Self {
        Launch::oomtop().size(size.0, size.1).args(args).start()
    }

    /// Waits until the program has taken what was typed.
    pub(crate) fn await_taken(&mut self) {
        let terminal = self.terminal();
        until(|| rustix::io::ioctl_fionread(&terminal).unwrap_or(0) == 0 || !self.alive());
    }

    /// Polls something outside the screen.
    #[track_caller]
    pub(crate) fn eventually(&self, what: &str, holds: impl FnMut() -> bool) {
        let held = until(holds);
        assert!(held, "{what} did not happen; {}", self.look(Screen::framed));
    }

    /// Types raw bytes. Does not fail if the program has ended: the next wait reports that.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let sent = self.writer.write_all(bytes);
        sent.and_then(|()| self.writer.flush()).ok();
    }

    /// Process number of the program.
    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().expect("the child has a pid")
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        rustix::process::kill_process(pid.expect("a pid"), signal).expect("the signal is sent");
    }

    /// Resizes the terminal: the program gets SIGWINCH.
    pub(crate) fn resize(&mut self, cols: u16, rows: u16) {
        self.lock().resize(cols, rows);
        self.master
            .resize(PtySize {
                rows,
                cols,
                pixel_width: 0,
                pixel_height: 0,
            })
            .expect("the terminal is resized");
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Output> {
        self.output.0.lock().expect("the output is not poisoned")
    }

    /// Looks at the screen as it is now.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        // Release the lock before `look`: a failed assertion in it would poison the lock.
        let screen = self.lock().screen();
        look(&screen)
    }

    /// The screen as text.
    pub(crate) fn screen_text(&self) -> String {
        self.look(Screen::text)
    }

    /// The screen with its styles.
    pub(crate) fn styled(&self) -> String {
        self.look(Screen::styled)
    }

    /// Stops reading the program's output, or reads on.
    pub(crate) fn hold(&self, held: bool) {
        self.lock().held = held;
        self.output.1.notify_all();
    }

    /// The program's side of the terminal, to change it as a shell would.
    pub(crate) fn terminal(&self) -> std::fs::File {
        use rustix::fs::{Mode, OFlags};
        let path = self.master.tty_name().expect("the terminal has a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        opened.expect("the terminal opens").into()
    }

    /// Everything the program wrote, as it was written.
    pub(crate) fn raw(&self) -> Vec<u8> {
        self.lock().raw.clone()
    }

    /// How many bytes the program wrote.
    pub(crate) fn written(&self) -> usize {
        self.lock().raw.len()
    }

    /// Waits until `seen` holds for the screen; the time it took.
    ///
    /// # Panics
    /// With the whole screen, if the condition does not hold in time or the program ends first.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut seen: impl FnMut(&Screen) -> bool) -> Duration {
        let start = Instant::now();
        let mut state = self.lock();
        loop {
            if seen(&state.screen()) {
                return start.elapsed();
            }
            let left = PATIENCE.saturating_sub(start.elapsed());
            if left.is_zero() || state.ended {
                let screen = state.screen().framed();
                let why = if state.ended {
                    "the program ended"
                } else {
                    "time is over"
                };
                drop(state);
                panic!(
                    "waited for {what} for {:?}, then {why}; {screen}",
                    start.elapsed()
                );
            }
            state = self
                .output
                .1
                .wait_timeout(state, left)
                .expect("not poisoned")
                .0;
        }
    }

    /// Waits until the text is on the screen.
    #[track_caller]
    pub(crate) fn wait_text(&self, text: &str) -> Duration {
        self.wait_for(&format!("{text:?}"), |screen| screen.has(text))
    }

    /// True while a thread of the program runs, or would if a processor were free.
    pub(crate) fn is_busy(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid()));
        let mut states = tasks.into_iter().flatten().flatten().map(|task| {
            let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.rsplit(") ")
                .next()
                .and_then(|rest| rest.chars().next())
        });
        states.any(|state| matches!(state, Some('R' | 'D')))
    }

    /// True while the program has not ended.
    pub(crate) fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the program to end, and for its last output.
    ///
    /// # Panics
    /// With the screen, if the program does not end in time.
    #[track_caller]
    pub(crate) fn wait_exit(&mut self) -> Exit {
        let mut status = None;
        until(|| {
            status = self.child.try_wait().expect("the child can be waited for");
            status.is_some()
        });
        let Some(status) = status else {
            let screen = self.look(Screen::framed);
            panic!("the program still runs after {PATIENCE:?}; {screen}");
        };
        let start = Instant::now();
        let mut state = self.lock();
        while !state.ended && start.elapsed() < PATIENCE {
            let left = PATIENCE.saturating_sub(start.elapsed());
            state = self
                .output
                .1
                .wait_timeout(state, left)
                .expect("not poisoned")
                .0;
        }
        Exit {
            code: status.exit_code(),
            signal: status.signal().map(str::to_owned),
        }
    }

    /// Asserts that the terminal is as a shell wants it: main screen, visible cursor, no mouse
    /// reports, no bracketed paste, and line editing, echo and signals on in the line discipline.
    #[track_caller]
    pub(crate) fn assert_sane(&self) {
        let raw = String::from_utf8_lossy(&self.raw()).into_owned();
        assert!(
            raw.contains("\x1b[?1049h"),
            "the alternate screen was never entered"
        );
        let state = self.lock();
        let screen = state.parser.screen();
        let last = &state.raw[state.raw.len().saturating_sub(200)..];
        assert!(
            !screen.alternate_screen(),
            "still on the alternate screen after {:?}",
            String::from_utf8_lossy(last)
        );
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is still on");
        assert_eq!(
            screen.mouse_protocol_mode(),
            vt100::MouseProtocolMode::None,
            "mouse reports are still on"
        );
        drop(state);
        assert!(self.cooked(), "the line discipline is still raw");
    }

    /// True when the program, a shell, is in the foreground instead of one of its jobs.
    pub(crate) fn in_foreground(&self) -> bool {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        let fields = stat.rsplit_once(") ").unwrap_or_default().1.split(' ');
        let fields: Vec<_> = fields.collect();
        // The shell's process group and the terminal's foreground group.
        fields.get(2).is_some() && fields.get(2) == fields.get(5)
    }

    /// True when line editing, echo and signals are on in the line discipline.
    pub(crate) fn cooked(&self) -> bool {
        use rustix::termios::LocalModes;
        let modes = self.master.get_termios().expect("termios of the terminal");
        let wanted = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        LocalModes::from_bits_retain(modes.local_flags.bits()).contains(wanted)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Kill the program before the writer is dropped: the writer then types Enter and end-of-file, which a
        // live program would take for keys.
        if self.alive() {
            self.signal(Signal::KILL);
        }
        self.child.wait().ok();
    }
}
