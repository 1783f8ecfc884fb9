//! Everything that is pure: state, dialogs, frames, reports and the command line, without a kernel.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

#[path = "../common/mod.rs"]
mod common;

mod adjust;
mod advice;
mod architecture;
mod careful;
mod clicks;
mod completions;
mod config;
mod confirmed;
mod corpus;
mod deaths;
mod dialogs;
mod disguise;
mod document;
mod domain_kills;
mod domain_selection;
mod domains;
mod ended;
mod event_counts;
mod event_selection;
mod events;
mod explain;
mod explain_files;
mod filling;
mod fleet;
mod focus;
mod forecasts;
mod golden;
mod half_done;
mod heap;
mod held_groups;
mod history;
mod incident;
mod key_names;
mod keymap;
mod kill_sources;
mod killed;
mod killers_panel;
mod leaving;
mod ledger;
mod limits;
mod load_test;
mod lookout;
mod lost_lines;
mod mutilated;
mod one_name;
mod oom_assembler;
mod oom_bounds;
mod oom_consistency;
mod oom_crate;
mod oom_entries;
mod oom_mixed;
mod oom_noise;
mod oom_ranking;
mod oom_rules;
mod oom_transports;
mod oom_verdict;
mod oom_wrapped;
mod orders;
mod outcome;
mod own;
mod own_table;
mod partial;
mod plan;
mod posted;
mod preview;
mod printed;
mod printed_fate;
mod recording;
mod refusals;
mod render;
mod report;
mod rule_groups;
mod rule_line;
mod rules;
mod scrolling;
mod seen;
mod selection;
mod settings_panel;
mod setup;
mod stillness;
mod systemd;
mod table;
mod themes;
mod time_axis;
mod title_keys;
mod together;
mod traced;
mod trust;
mod truth;
mod update;
mod usable;
mod victim_rules;
mod weight;
mod why;
mod zombies;
