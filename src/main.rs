//! The `oomtop` binary: reads the command line, runs, and returns an exit status.

use std::io::Write;
use std::process::ExitCode;

use oomtop::config::{Launch, LogSource, Mode, resolve};
use oomtop::runtime;

fn main() -> ExitCode {
    let launch = match resolve(std::env::args_os()) {
        Ok(launch) => launch,
        Err(stop) => {
            // A closed pipe must not turn help into a panic.
            let _ = if stop.status == 0 {
                std::io::stdout().write_all(stop.text.as_bytes())
            } else {
                std::io::stderr().write_all(stop.text.as_bytes())
            };
            return ExitCode::from(stop.status);
        }
    };
    let Launch {
        mode,
        settings,
        theme,
        root,
        backend,
        mouse,
        self_protect,
        logs,
        json,
    } = launch;
    let outcome = match mode {
        Mode::Screen => {
            if self_protect {
                runtime::protect_self();
            }
            runtime::run(settings, &theme, root, backend, mouse)
        }
        Mode::Table => runtime::once(&settings, &root, backend, false),
        Mode::Json => runtime::once(&settings, &root, backend, true),
        Mode::Facts => runtime::facts(&root, backend),
        Mode::Explain => {
            let input = match logs {
                LogSource::Running => runtime::Input::Running,
                LogSource::Files(files) => runtime::Input::Files(files),
                LogSource::Boot(boot) => runtime::Input::Boot(boot),
            };
            runtime::explain(&input, &root, json)
        }
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "oomtop: {error}");
            ExitCode::FAILURE
        }
    }
}
