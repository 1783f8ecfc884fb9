//! `--print completions SHELL`: what a shell offers behind `oomtop`.

use clap::CommandFactory;
use clap_complete::{Shell as Known, generate};

use crate::config::args::Args;

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
        generate(known, &mut Args::command(), "oomtop", &mut script);
        String::from_utf8_lossy(&script).into_owned()
    }
}
