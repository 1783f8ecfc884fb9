//! [`Flags`]: the settings as options of the command line, generated from [`SETTINGS`].

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::layers::{Found, Origin};
use super::settings::{Form, SETTINGS, Setting, Values};

/// The settings that were given as flags, and the file that was.
#[derive(Debug, Default)]
pub(super) struct Flags {
    /// The settings.
    pub(super) found: Vec<Found>,
    /// A file in place of the user's.
    pub(super) config: Option<PathBuf>,
}

/// The id and the long name of the option for [`Flags::config`].
const CONFIG: &str = "config";

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new(CONFIG)
            .long(CONFIG)
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help("Read settings from this file in place of yours (so does the variable `OOMTOP_CONFIG`)");
        command.arg(config).args(SETTINGS.iter().flat_map(options))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            found: SETTINGS.iter().filter_map(|s| given(s, matches)).collect(),
            config: matches.get_one(CONFIG).cloned(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The flag that turns a switch off, without dashes.
fn off(setting: &Setting) -> String {
    format!("no-{}", setting.long())
}

/// The options of one setting: a switch has two, on and off.
fn options(setting: &'static Setting) -> Vec<Arg> {
    let mut option = Arg::new(setting.key)
        .long(setting.long())
        .help(help(setting));
    let is_off = matches!(setting.form, Form::Switch) && setting.is_on_by_default();
    if let Some(short) = setting.short.filter(|_| !is_off) {
        option = option.short(short);
    }
    if let Some(alias) = setting.alias {
        option = option.visible_alias(alias);
    }
    match setting.form {
        Form::Switch => {
            let on_by_default = setting.is_on_by_default();
            let off = Arg::new(off(setting))
                .long(off(setting))
                .short(setting.short.filter(|_| is_off))
                .help(help(setting))
                .action(ArgAction::SetTrue)
                .hide(!on_by_default)
                .overrides_with(setting.key);
            let on = option
                .action(ArgAction::SetTrue)
                .hide(on_by_default)
                .overrides_with(off.get_id().clone());
            vec![on, off]
        }
        Form::Value(name) => vec![option.value_name(name)],
        Form::Choice(name, words) => vec![
            option
                .value_name(name)
                .long_help(choices(setting, &words())),
        ],
    }
}

/// The line of the help: what the flag does, its default, the words it takes.
fn help(setting: &Setting) -> String {
    let doc = setting.doc;
    match (setting.form, (setting.show)(&Values::default())) {
        (Form::Value(_), default) if default.is_empty() => doc.to_owned(),
        (Form::Switch, _) => doc.to_owned(),
        (Form::Value(_), default) => format!("{doc} [default: {default}]"),
        (Form::Choice(_, words), default) => {
            let words: Vec<_> = words().iter().map(|(word, _)| *word).collect();
            format!(
                "{doc} [default: {default}] [possible values: {}]",
                words.join(", ")
            )
        }
    }
}

/// The long help: each word with what it means.
fn choices(setting: &Setting, words: &[(&str, &str)]) -> String {
    let default = (setting.show)(&Values::default());
    let width = words.iter().map(|(word, _)| word.len()).max().unwrap_or(0);
    let lines = words
        .iter()
        .map(|(word, doc)| format!("\n- {word:<width$}  {doc}"));
    format!(
        "{} [default: {default}]\n{}",
        setting.doc,
        lines.collect::<String>()
    )
}

fn given(setting: &'static Setting, matches: &ArgMatches) -> Option<Found> {
    let (flag, text) = match setting.form {
        Form::Switch if matches.get_flag(setting.key) => (setting.long(), "true".to_owned()),
        Form::Switch if matches.get_flag(&off(setting)) => (off(setting), "false".to_owned()),
        Form::Switch => return None,
        Form::Value(_) | Form::Choice(..) => (
            setting.long(),
            matches.get_one::<String>(setting.key)?.clone(),
        ),
    };
    Some(Found {
        setting,
        text,
        origin: Origin::Flag(format!("--{flag}")),
    })
}
