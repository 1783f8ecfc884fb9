//! The `oomtop` binary: reads the command line, runs, and returns an exit status.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use oomtop::config::FleetLaunch;
use oomtop::config::{
    Environment, MetricsLaunch, Mode, OwnFile, ProtectTask, RUN_FAILED, RuleFiles, RunLaunch,
    WatchLaunch, resolve,
};
use oomtop::runtime::fleet::{FleetTask, Manner};
use oomtop::runtime::headless::{Halt, print};
use oomtop::runtime::load_test::{LoadTest, Look};
use oomtop::runtime::metrics::Destination;
use oomtop::runtime::protect::{Found, RuleSource, Rules, Stay, Task};
use oomtop::runtime::watch::Watching;
use oomtop::runtime::{self, Draft, OwnFiles, Recorder, RunError, SettingsFile, Showing};

/// The status of `explain`, `why` and `protect` when they fail: 1 would say that there was no kill, that nobody knows, that
/// something would change.
const UNREADABLE: u8 = 2;

fn main() -> ExitCode {
    let mut failure = 1;
    let mut warnings = Vec::new();
    let environment = Environment::from_process();
    let resolved = resolve(std::env::args_os(), &environment, &mut warnings);
    for warning in &warnings {
        runtime::complain(&format!(
            "{warning}; left out, because it is not needed here"
        ));
    }
    let outcome = match resolved {
        Ok(mode) => {
            let stays = |task: &ProtectTask| matches!(task, ProtectTask::Stay { .. });
            failure = match &mode {
                // 2 says that a rule is wrong, so that starting again does not help.
                Mode::Protect(launch) if stays(&launch.task) => failure,
                Mode::Explain(_) | Mode::Why(_) | Mode::Protect(_) => UNREADABLE,
                Mode::Run(_) => RUN_FAILED,
                _ => failure,
            };
            run(mode)
        }
        // Help and version.
        Err(stop) if stop.status == 0 => whole(&stop.text),
        Err(stop) => {
            // Nobody can be told where standard error is closed.
            let _ = io::stderr().write_all(stop.text.as_bytes());
            Ok(stop.status)
        }
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            runtime::complain(&error.to_string());
            ExitCode::from(failure)
        }
    }
}

fn run(mode: Mode) -> Result<u8, RunError> {
    match mode {
        Mode::Screen(launch) => {
            let told = if launch.settings.read_only {
                runtime::Told::default()
            } else {
                runtime::tidy_up()
            };
            if launch.self_protect {
                runtime::protect_self();
            }
            let ended = runtime::run(
                launch.settings,
                &launch.theme,
                launch.root,
                launch.backend,
                launch.mouse,
                launch.audit.as_deref(),
                OwnFiles {
                    rules: Some(Arc::new(Files(launch.rules))),
                    settings: Some(Arc::new(Own(launch.own_file))),
                },
            )?;
            told.again();
            Ok(ended)
        }
        Mode::Samples(launch) => runtime::once(
            &launch.settings,
            &launch.root,
            launch.backend,
            launch.printing,
        ),
        Mode::Facts(launch) => runtime::facts(&launch.root, launch.backend),
        Mode::Print(text) => whole(&text),
        Mode::Explain(launch) => runtime::explain(&launch.source, &launch.root, launch.json),
        Mode::Why(launch) => runtime::why(
            &launch.of,
            launch.since.as_deref(),
            &launch.root,
            launch.json,
        ),
        Mode::Run(launch) => load_test(*launch),
        Mode::Metrics(launch) => metrics(*launch),
        Mode::Watch(launch) => watch(*launch),
        Mode::Fleet(launch) => fleet(*launch),
        Mode::Record(launch) => runtime::record(Recorder {
            task: launch.task,
            settings: launch.settings,
            root: launch.root,
            backend: launch.backend,
        }),
        Mode::Replay(launch) => runtime::replay(Showing {
            file: launch.file,
            at: launch.at,
            json: launch.json,
            settings: launch.settings,
            theme: launch.theme,
            mouse: launch.mouse,
        }),
        Mode::Protect(launch) => {
            let task = match launch.task {
                ProtectTask::Check => Task::Check,
                ProtectTask::Why(pid) => Task::Why(pid),
                ProtectTask::Once => Task::Once,
                ProtectTask::Stay { way, every } => Task::Stay(Stay { way, every }),
            };
            runtime::protect(&task, &Files(launch.rules), &launch.root, launch.audit)
        }
    }
}

fn load_test(launch: RunLaunch) -> Result<u8, RunError> {
    runtime::load_test(&LoadTest {
        task: launch.task,
        settings: launch.settings,
        look: launch.screen.map(|screen| Look {
            theme: screen.theme,
            backend: screen.backend,
            mouse: screen.mouse,
            self_protect: screen.self_protect,
            audit: screen.audit,
        }),
    })
}

fn metrics(launch: MetricsLaunch) -> Result<u8, RunError> {
    let destination = match (launch.textfile, launch.listen) {
        (Some((path, every)), _) => Destination::Textfile(path, every),
        (None, address) => Destination::Listen(address.unwrap_or_default()),
    };
    runtime::metrics(
        &destination,
        &launch.settings,
        &launch.root,
        launch.backend,
        Arc::new(Files(launch.rules)),
    )
}

fn fleet(launch: FleetLaunch) -> Result<u8, RunError> {
    runtime::fleet(FleetTask {
        prometheus: launch.prometheus,
        matcher: launch.matcher,
        http: launch.http,
        every: launch.every,
        command: launch.command,
        manner: match (launch.json, launch.once) {
            (true, _) => Manner::Json,
            (_, true) => Manner::Once,
            _ => Manner::Screen,
        },
        theme: launch.theme,
        ascii: launch.ascii,
    })
}

fn watch(launch: WatchLaunch) -> Result<u8, RunError> {
    let watching = Watching {
        forecast: launch.forecast,
        json: launch.json,
        hook: launch.hook,
    };
    let rules = Arc::new(Files(launch.rules));
    runtime::watch(
        &watching,
        &launch.settings,
        &launch.root,
        launch.backend,
        rules,
    )
}

/// The files of rules, for the runtime.
struct Files(RuleFiles);

impl RuleSource for Files {
    fn read(&self) -> Result<Rules, Vec<String>> {
        self.0.read()
    }

    fn survey(&self) -> Found {
        self.0.survey()
    }

    fn places(&self) -> Vec<String> {
        self.0.places()
    }
}

/// The user's configuration file, for the runtime.
#[derive(Debug)]
struct Own(OwnFile);

impl SettingsFile for Own {
    fn draft(&self, changes: &[(&'static str, String)]) -> Result<Draft, String> {
        self.0.draft(changes)
    }

    fn write(&self, draft: &Draft) -> Result<String, String> {
        self.0.write(draft)
    }
}

/// Prints a text; a pipe that nobody reads is no error.
fn whole(text: &str) -> Result<u8, RunError> {
    print(text).map_or_else(Halt::status, |()| Ok(0))
}
