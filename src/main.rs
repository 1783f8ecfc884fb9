//! The `oomtop` binary: reads the command line, runs, and returns an exit status.

use std::io::{self, Write};
use std::process::ExitCode;

use oomtop::config::{Environment, Mode, resolve};
use oomtop::runtime::{self, RunError};

fn main() -> ExitCode {
    let mode = match resolve(std::env::args_os(), &Environment::from_process()) {
        Ok(mode) => mode,
        Err(stop) => {
            if stop.status != 0 {
                // Nobody can be told where standard error is closed.
                let _ = io::stderr().write_all(stop.text.as_bytes());
                return ExitCode::from(stop.status);
            }
            return match said(&stop.text) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => failed(&RunError::Output(error)),
            };
        }
    };
    match run(mode) {
        Ok(status) => ExitCode::from(status),
        Err(error) => failed(&error),
    }
}

/// Prints a text. A closed pipe is no error, and must not turn help into a panic.
fn said(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Says why.
fn failed(error: &RunError) -> ExitCode {
    runtime::complain(&error.to_string());
    ExitCode::FAILURE
}

fn run(mode: Mode) -> Result<u8, RunError> {
    match mode {
        Mode::Screen(launch) => {
            if launch.self_protect {
                runtime::protect_self();
            }
            runtime::run(
                launch.settings,
                &launch.theme,
                launch.root,
                launch.backend,
                launch.mouse,
            )
        }
        Mode::Table(launch) => runtime::once(&launch.settings, &launch.root, launch.backend, false),
        Mode::Json(launch) => runtime::once(&launch.settings, &launch.root, launch.backend, true),
        Mode::Facts(launch) => runtime::facts(&launch.root, launch.backend),
        Mode::PrintConfig(text) => said(&text).map(|()| 0).map_err(RunError::Output),
        Mode::Explain(launch) => runtime::explain(&launch.source, &launch.root, launch.json),
    }
}
