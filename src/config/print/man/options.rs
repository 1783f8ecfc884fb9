//! Options of a command line as items of a page.

use clap::{Arg, Command};

use super::roff::Roff;

/// The options and arguments that the help shows too, below the headings of the help.
pub(super) fn append(roff: &mut Roff, command: &Command) {
    let shown = |arg: &&Arg| !arg.is_hide_set();
    let mut headings: Vec<Option<&str>> = Vec::new();
    for arg in command.get_arguments().filter(shown) {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    for heading in headings {
        if let Some(heading) = heading {
            roff.subsection(heading);
        }
        let of_heading = |arg: &&Arg| arg.get_help_heading() == heading;
        for arg in command.get_arguments().filter(shown).filter(of_heading) {
            let paragraphs = paragraphs(arg);
            roff.item(&tag(arg), paragraphs.iter().map(String::as_str));
        }
    }
}

/// `-d`, `--delay` SECONDS.
pub(super) fn tag(arg: &Arg) -> String {
    let short = arg.get_short().map(|short| format!("`-{short}`"));
    let long = arg.get_long().map(|long| format!("`--{long}`"));
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    let aliases = aliases.iter().map(|alias| format!("`--{alias}`"));
    let names: Vec<_> = short.into_iter().chain(long).chain(aliases).collect();
    let mut words = vec![names.join(", ")];
    if arg.get_action().takes_values() {
        let least = arg.get_num_args().map_or(1, |range| range.min_values());
        let values = arg.get_value_names().unwrap_or_default().iter();
        words.extend(values.enumerate().map(|(at, name)| {
            if at < least.max(1) {
                format!("_{name}_")
            } else {
                format!("[_{name}_]")
            }
        }));
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// What the help says, the default, and each word that is taken.
fn paragraphs(arg: &Arg) -> Vec<String> {
    let help = arg.get_long_help().or(arg.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let mut paragraphs: Vec<String> = Vec::new();
    for line in help.lines() {
        match (line.strip_prefix("- "), paragraphs.last_mut()) {
            // A list of the words of a choice.
            (Some(word), _) => {
                paragraphs.push(word.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            (None, Some(last)) if !line.is_empty() => {
                last.push(' ');
                last.push_str(line);
            }
            (None, _) if line.is_empty() => {}
            (None, _) => paragraphs.push(line.to_owned()),
        }
    }
    let defaults = arg.get_default_values().iter();
    let defaults: Vec<_> = defaults.map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() && arg.get_action().takes_values() {
        paragraphs.push(format!("Default: `{}`", defaults.join(" ")));
    }
    for value in arg.get_possible_values() {
        let help = value.get_help().map(ToString::to_string);
        let name = value.get_name();
        let shown = !value.is_hide_set() && arg.get_action().takes_values();
        paragraphs.extend(shown.then(|| match help {
            Some(help) => format!("`{name}`: {help}"),
            None => format!("`{name}`"),
        }));
    }
    paragraphs
}
