//! The `oomtop` binary: reads the command line, runs, and returns an exit status.

use std::io::Write;
use std::process::ExitCode;

use oomtop::config::{Launch, resolve};
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
    } = launch;
    let outcome = match mode {
        oomtop::config::Mode::Screen => {
            if self_protect {
                runtime::protect_self();
            }
            runtime::run(settings, &theme, root, backend, mouse)
        }
        oomtop::config::Mode::Table => runtime::once(&settings, &root, backend, false),
        oomtop::config::Mode::Json => runtime::once(&settings, &root, backend, true),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "oomtop: {error}");
            ExitCode::FAILURE
        }
    }
}
