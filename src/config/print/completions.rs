//! `--print completions SHELL`: what a shell offers behind `oomtop`.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::{Shell as Known, generate};

use crate::app::view::processes::columns::COLUMNS;
use crate::config::args::Args;
use crate::config::settings::{Form, SETTINGS, Setting};

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Shell {
    /// bash with its package `bash-completion`, or without.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

impl Shell {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// The script that it loads.
    pub(super) fn script(self) -> String {
        let known = match self {
            Self::Bash => Known::Bash,
            Self::Zsh => Known::Zsh,
            Self::Fish => Known::Fish,
        };
        let mut script = Vec::new();
        generate(known, &mut command(), "oomtop", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        match self {
            // Behind an option that still lacks its value argparse(1) fails, and nothing would be offered for the value.
            Self::Fish => script.replacen("or return\n", "or return 0\n", 1),
            Self::Bash | Self::Zsh => script,
        }
    }
}

/// The command line, and what its settings take: they check their values themselves, so that the words of a file and of a
/// variable are checked too, and clap knows nothing of these.
fn command() -> Command {
    let known = |command: &Command, setting: &Setting| {
        let mut arguments = command.get_arguments();
        arguments.any(|arg| arg.get_id() == setting.key)
    };
    let informed = |command: Command| {
        SETTINGS.iter().fold(command, |command, setting| {
            if known(&command, setting) {
                command.mut_arg(setting.key, |arg| takes(arg, setting))
            } else {
                command
            }
        })
    };
    let mut command = informed(Args::command());
    let names: Vec<_> = command
        .get_subcommands()
        .map(|one| one.get_name().to_owned())
        .collect();
    for name in names {
        command = command.mut_subcommand(name, informed);
    }
    command
}

/// The option with the words that it takes, or with the kind of its file.
fn takes(option: Arg, setting: &Setting) -> Arg {
    let words = |words: Vec<&'static str>| PossibleValuesParser::new(words);
    match setting.form {
        Form::Choice(_, choices) => {
            option.value_parser(words(choices().into_iter().map(|(word, _)| word).collect()))
        }
        Form::Value("COLUMN") => {
            option.value_parser(words(COLUMNS.iter().map(|column| column.id).collect()))
        }
        Form::Value("FILE") => option.value_hint(ValueHint::FilePath),
        Form::Value("DIR") => option.value_hint(ValueHint::DirPath),
        Form::Value(_) => option.value_hint(ValueHint::Other),
        Form::Switch => option,
    }
}
