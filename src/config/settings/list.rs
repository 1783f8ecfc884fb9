//! The settings themselves, in the order of the help and of `--print config`.

use std::path::Path;

use super::{Form, Setting, put, text};
use crate::app::settings::text::show_bands;
use crate::app::view::processes::columns::chosen::ChosenColumns;
use crate::config::faults::Matters;

/// Every setting.
pub(in crate::config) static SETTINGS: &[Setting] = &[
    Setting {
        key: "delay",
        matters: Matters::Always,
        short: Some('d'),
        alias: None,
        form: Form::Value("SECONDS"),
        doc: "Seconds between two samples, 0.1 to 3600",
        parse: |given| Ok(put(text::seconds(given)?, |v| &mut v.settings.delay)),
        show: |v| v.settings.delay.as_secs_f64().to_string(),
    },
    Setting {
        key: "bands",
        matters: Matters::Always,
        short: None,
        alias: None,
        form: Form::Value("W,D,C"),
        doc: "Marks of the gauge in percent",
        parse: |given| Ok(put(text::bands(given)?, |v| &mut v.settings.thresholds)),
        show: |v| show_bands(&v.settings.thresholds),
    },
    Setting {
        key: "read_only",
        matters: Matters::Always,
        short: None,
        alias: Some("readonly"),
        form: Form::Switch,
        doc: "Make every write impossible: no adj, no cgroup, no signal",
        parse: |given| Ok(put(text::switch(given)?, |v| &mut v.settings.read_only)),
        show: |v| v.settings.read_only.to_string(),
    },
    Setting {
        key: "ascii",
        matters: Matters::OnScreens,
        short: None,
        alias: None,
        form: Form::Switch,
        doc: "Only ASCII on the screen",
        parse: |given| Ok(put(text::switch(given)?, |v| &mut v.settings.ascii)),
        show: |v| v.settings.ascii.to_string(),
    },
    Setting {
        key: "color",
        matters: Matters::OnScreens,
        short: Some('C'),
        alias: None,
        form: Form::Switch,
        doc: "No colours (so does the variable `NO_COLOR`)",
        parse: |given| Ok(put(text::switch(given)?, |v| &mut v.color)),
        show: |v| v.color.to_string(),
    },
    Setting {
        key: "color_depth",
        matters: Matters::OnScreens,
        short: None,
        alias: None,
        form: Form::Choice("HOW", text::depths),
        doc: "How many colours: the theme takes the nearest",
        parse: |given| Ok(put(text::depth(given)?, |v| &mut v.color_depth)),
        show: |v| text::depth_name(v.color_depth).to_owned(),
    },
    Setting {
        key: "theme",
        matters: Matters::OnScreens,
        short: None,
        alias: None,
        form: Form::Value("NAME"),
        doc: "How the screen looks; `--print themes` lists them",
        parse: |given| Ok(put(text::name(given)?, |v| &mut v.settings.theme)),
        show: |v| v.settings.theme.clone(),
    },
    Setting {
        key: "keys",
        matters: Matters::OnScreens,
        short: None,
        alias: None,
        form: Form::Choice("PRESET", text::presets),
        doc: "Key bindings; `--print keys` lists them, `[bind]` adds your own",
        parse: |given| Ok(put(text::preset(given)?, |v| &mut v.settings.keys)),
        show: |v| v.settings.keys.name().to_owned(),
    },
    Setting {
        key: "kernel_threads",
        matters: Matters::OnScreens,
        short: None,
        alias: None,
        form: Form::Switch,
        doc: "Show kernel threads too",
        parse: |given| {
            Ok(put(text::switch(given)?, |v| {
                &mut v.settings.kernel_threads
            }))
        },
        show: |v| v.settings.kernel_threads.to_string(),
    },
    Setting {
        key: "tree",
        matters: Matters::OnScreens,
        short: Some('t'),
        alias: None,
        form: Form::Switch,
        doc: "On the screen: parents and children as a tree",
        parse: |given| Ok(put(text::switch(given)?, |v| &mut v.settings.tree)),
        show: |v| v.settings.tree.to_string(),
    },
    Setting {
        key: "filter",
        matters: Matters::OnScreens,
        short: Some('F'),
        alias: None,
        form: Form::Value("FILTER"),
        doc: "Show only rows that match: text, pid:1, user:x, cgroup:x, adj<0, rss>100M, !term",
        parse: |given| Ok(put(text::filter(given)?, |v| &mut v.settings.filter)),
        show: |v| v.settings.filter.text().to_owned(),
    },
    Setting {
        key: "sort",
        matters: Matters::OnScreens,
        short: Some('s'),
        alias: None,
        form: Form::Value("COLUMN"),
        doc: "Sort by this column instead of by badness",
        parse: |given| Ok(put(Some(text::column(given)?), |v| &mut v.settings.sort)),
        show: |v| v.settings.sort.unwrap_or_default().to_owned(),
    },
    Setting {
        key: "columns",
        matters: Matters::OnScreens,
        short: None,
        alias: None,
        form: Form::Value("COLUMNS"),
        doc: "Columns of the table, in order, with a width if wanted: pid,user,rss,command:40",
        parse: |given| {
            Ok(put(ChosenColumns::parse(given)?, |v| {
                &mut v.settings.columns
            }))
        },
        show: |v| v.settings.columns.to_string(),
    },
    Setting {
        key: "backend",
        matters: Matters::Always,
        short: None,
        alias: None,
        form: Form::Choice("HOW", text::backends),
        doc: "How to read the processes",
        parse: |given| Ok(put(text::backend(given)?, |v| &mut v.backend)),
        show: |v| text::backend_name(v.backend).to_owned(),
    },
    Setting {
        key: "mouse",
        matters: Matters::OnScreens,
        short: Some('M'),
        alias: None,
        form: Form::Switch,
        doc: "Leave the mouse to the terminal",
        parse: |given| Ok(put(text::switch(given)?, |v| &mut v.settings.mouse)),
        show: |v| v.settings.mouse.to_string(),
    },
    Setting {
        key: "self_protect",
        matters: Matters::Always,
        short: None,
        alias: None,
        form: Form::Switch,
        doc: "Leave oomtop's own memory unlocked and its own oom_score_adj as it is",
        parse: |given| Ok(put(text::switch(given)?, |v| &mut v.self_protect)),
        show: |v| v.self_protect.to_string(),
    },
    Setting {
        key: "audit",
        matters: Matters::Always,
        short: None,
        alias: None,
        form: Form::Value("FILE"),
        doc: "Append every write to this file, as lines of JSON: who, what, old and new value, result",
        parse: |given| Ok(put(text::file(given)?, |v| &mut v.audit)),
        show: |v| {
            let path = v.audit.as_deref().unwrap_or(Path::new(""));
            path.to_string_lossy().into_owned()
        },
    },
    Setting {
        key: "record_kills",
        matters: Matters::Always,
        short: None,
        alias: None,
        form: Form::Value("DIR"),
        doc: "Keep the last minutes in memory, and save them in this directory after a kill",
        parse: |given| {
            let dir = (!given.is_empty()).then(|| given.into());
            Ok(put(dir, |v| &mut v.settings.record_kills))
        },
        show: |v| {
            let path = v.settings.record_kills.as_deref().unwrap_or(Path::new(""));
            path.to_string_lossy().into_owned()
        },
    },
];
