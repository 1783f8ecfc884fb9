//! oomtop(1).

use clap::{Command, CommandFactory};

use super::roff::Roff;
use super::{DATE, list, markdown, options};
use crate::config::args::Args;
use crate::config::settings::SETTINGS;

pub(super) fn page() -> String {
    let mut command = Args::command();
    command.build();
    let mut roff = Roff::new("oomtop", 1, DATE, "User Commands");
    roff.section("Name");
    roff.paragraph("oomtop - who dies next when memory runs out, why, and how to prevent it");
    roff.section("Synopsis");
    roff.paragraph("`oomtop` [_OPTION_]...");
    for subcommand in subcommands(&command) {
        roff.paragraph(&usage(subcommand));
    }
    markdown::append(&mut roff, include_str!("program.md"));
    roff.section("Options");
    options::append(&mut roff, &command);
    roff.section("Subcommands");
    for subcommand in subcommands(&command) {
        roff.subsection(&format!("oomtop {}", subcommand.get_name()));
        let about = subcommand.get_long_about().or(subcommand.get_about());
        prose(
            &mut roff,
            &about.map(ToString::to_string).unwrap_or_default(),
        );
        options::append(&mut roff, subcommand);
        let end = subcommand.get_after_help();
        prose(&mut roff, &end.map(ToString::to_string).unwrap_or_default());
    }
    roff.section("Keys");
    list::keys(&mut roff);
    roff.section("Columns");
    list::columns(&mut roff);
    roff.section("Environment");
    for setting in SETTINGS {
        let key = setting.key;
        let about = format!("The setting `{key}` of `oomtop-config`(5).");
        roff.item(&format!("`{}`", setting.variable()), [about.as_str()]);
    }
    markdown::append(&mut roff, include_str!("program_end.md"));
    roff.source()
}

/// The subcommands of the help.
fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    let shown = |one: &&Command| !one.is_hide_set() && one.get_name() != "help";
    command.get_subcommands().filter(shown)
}

/// `oomtop run [OPTION]... CMD...`
fn usage(command: &Command) -> String {
    let mut words = vec![
        format!("`oomtop {}`", command.get_name()),
        "[_OPTION_]...".to_owned(),
    ];
    for option in command.get_opts().filter(|option| option.is_required_set()) {
        words.push(options::tag(option));
    }
    for positional in command.get_positionals() {
        let names = positional.get_value_names().unwrap_or_default();
        let many = positional
            .get_num_args()
            .is_some_and(|range| range.max_values() > 1);
        let dots = if many { "..." } else { "" };
        words.extend(names.iter().map(|name| {
            if positional.is_required_set() {
                format!("_{name}_{dots}")
            } else {
                format!("[_{name}_]{dots}")
            }
        }));
    }
    words.join(" ")
}

/// Paragraphs with an empty line between two of them.
fn prose(roff: &mut Roff, text: &str) {
    for paragraph in text
        .split("\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty())
    {
        roff.paragraph(paragraph);
    }
}
