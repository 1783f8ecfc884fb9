//! The `oomtop` binary: reads the command line, runs, and returns an exit status.

use std::io::{self, Write};
use std::process::ExitCode;

use oomtop::config::{Environment, Mode, resolve};
use oomtop::runtime::{self, RunError};

fn main() -> ExitCode {
    let mode = match resolve(std::env::args_os(), &Environment::from_process()) {
        Ok(mode) => mode,
        Err(stop) => {
            // A closed pipe must not turn help into a panic.
            let _ = if stop.status == 0 {
                io::stdout().write_all(stop.text.as_bytes())
            } else {
                io::stderr().write_all(stop.text.as_bytes())
            };
            return ExitCode::from(stop.status);
        }
    };
    match run(mode) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            let _ = writeln!(io::stderr(), "oomtop: {error}");
            ExitCode::FAILURE
        }
    }
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
        Mode::PrintConfig(text) => match io::stdout().write_all(text.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(RunError::Output(error)),
            _ => Ok(0),
        },
        Mode::Explain(launch) => runtime::explain(&launch.source, &launch.root, launch.json),
    }
}
