//! Actions that show something else.

use super::{Action, DIALOGS, DOMAINS, EVENTS, Group, PANES, PROCESSES, PROMPTS, Place, TABLE};
use crate::app::State;
use crate::app::dialog::settings::SettingsDialog;
use crate::app::input::actions::run::back;
use crate::app::input::actions::run::look::{
    details, domain_ledger, event_details, follow, invert, kernel_threads, ledger, older,
    other_pane, rules, sort, sort_beside, sort_named, tag, tag_family, tree, untag, zoom_to_event,
};
use crate::app::input::actions::run::table::{collapse, scroll_commands, users, whole_commands};
use crate::app::input::id::ActionId as Id;
use crate::app::input::prompt::PromptKind;
use crate::app::input::scope::KeyScope;

pub(super) const LOOK: &[Action] = &[
    Action {
        id: Id::Filter,
        doc: "filter while typing",
        keys: &["/", "F4", "\\"],
        group: Group::Look,
        places: &[
            Place::new(TABLE, |s| s.prompt_for(PromptKind::Filter)).label("Filter"),
            Place::new(DOMAINS, |s| s.prompt_for(PromptKind::Domains)).label("Filter"),
            Place::new(EVENTS, |s| s.prompt_for(PromptKind::Events)).label("Filter"),
        ],
    },
    Action {
        id: Id::Domains,
        doc: "OOM domains: the host and every cgroup with a limit, the most urgent first",
        keys: &["d"],
        group: Group::Look,
        places: &[Place::new(PANES, State::toggle_domains).label_of(domains_label)],
    },
    Action {
        id: Id::Sort,
        doc: "choose the sort column",
        keys: &["F6"],
        group: Group::Look,
        places: &[
            Place::new(PROCESSES, sort).label("Sort"),
            Place::new(DOMAINS, State::choose_order).label_of(sort_label),
            Place::dialog(&[KeyScope::Sort, KeyScope::Report]),
        ],
    },
    Action {
        id: Id::Zoom,
        doc: "only the OOM domain of the selected process or row, ranked by it; again: all",
        keys: &["z"],
        group: Group::Look,
        places: &[
            Place::new(TABLE, State::toggle_zoom),
            Place::new(EVENTS, zoom_to_event),
            Place::new(DOMAINS, State::zoom_to_selected).label("Zoom"),
            Place::dialog(&[KeyScope::Domain]),
        ],
    },
    Action {
        id: Id::Details,
        doc: "details of the process, the domain or the event",
        keys: &["Enter"],
        group: Group::Look,
        places: &[
            Place::new(TABLE, details).label("Details"),
            Place::new(DOMAINS, State::domain_details).label("Details"),
            Place::new(EVENTS, event_details).label("Details"),
        ],
    },
    Action {
        id: Id::Unfold,
        doc: "domains: show the calm ones that are folded",
        keys: &["Right"],
        group: Group::Look,
        places: &[Place::new(DOMAINS, |s| s.unfold(true))],
    },
    Action {
        id: Id::Fold,
        doc: "domains: fold the calm ones",
        keys: &["Left"],
        group: Group::Look,
        places: &[Place::new(DOMAINS, |s| s.unfold(false))],
    },
    Action {
        id: Id::Events,
        doc: "OOM events: into the pane and out of it",
        keys: &["e"],
        group: Group::Look,
        places: &[Place::new(PANES, other_pane).label("Events")],
    },
    Action {
        id: Id::Older,
        doc: "OOM events of older boots, from the journal",
        keys: &["o"],
        group: Group::Look,
        places: &[Place::new(PANES, older)],
    },
    Action {
        id: Id::Settings,
        doc: "what decides the next OOM: who acts first, kernel settings, swap",
        keys: &["S"],
        group: Group::Look,
        places: &[
            Place::new(PANES, |s| s.open(SettingsDialog::default())).label("Killers"),
            Place::dialog(&[KeyScope::Settings]),
        ],
    },
    Action {
        id: Id::Rules,
        doc: "rules of oomtop protect: whom each holds, what is wrong with their files",
        keys: &["R"],
        group: Group::Look,
        places: &[Place::new(PANES, rules), Place::dialog(&[KeyScope::Rules])],
    },
    Action {
        id: Id::Ledger,
        doc: "where the memory is, and what no kill frees",
        keys: &["m"],
        group: Group::Look,
        places: &[
            Place::new(TABLE, ledger).label("Memory"),
            Place::new(EVENTS, ledger),
            Place::new(DOMAINS, domain_ledger).label("Memory"),
            Place::dialog(&[KeyScope::Ledger, KeyScope::Domain]),
        ],
    },
    Action {
        id: Id::NextPane,
        doc: "next pane",
        keys: &["Tab", "BackTab"],
        group: Group::Look,
        places: &[Place::new(PANES, other_pane).label("Pane")],
    },
    Action {
        id: Id::Search,
        doc: "search by text",
        keys: &["F3"],
        group: Group::Look,
        places: &[
            Place::new(PROCESSES, |s| s.prompt_for(PromptKind::Search)),
            Place::new(DOMAINS, |s| s.prompt_for(PromptKind::Domains)),
            Place::new(&[KeyScope::Search], |s| s.find(false)),
        ],
    },
    Action {
        id: Id::NextMatch,
        doc: "next match",
        keys: &["n"],
        group: Group::Look,
        places: &[
            Place::new(PROCESSES, |s| s.find(false)),
            Place::new(DOMAINS, |s| s.prompt_for(PromptKind::Domains)),
        ],
    },
    Action {
        id: Id::PreviousMatch,
        doc: "previous match",
        keys: &["N"],
        group: Group::Look,
        places: &[
            Place::new(PROCESSES, |s| s.find(true)),
            Place::new(DOMAINS, |s| s.prompt_for(PromptKind::Domains)),
        ],
    },
    Action {
        id: Id::SortRight,
        doc: "sort by the next column",
        keys: &[">", "."],
        group: Group::Look,
        places: &[
            Place::new(PROCESSES, |s| sort_beside(s, 1)),
            Place::new(DOMAINS, State::other_order),
            Place::dialog(&[KeyScope::Report]),
        ],
    },
    Action {
        id: Id::SortLeft,
        doc: "sort by the previous column",
        keys: &["<", ","],
        group: Group::Look,
        places: &[
            Place::new(PROCESSES, |s| sort_beside(s, -1)),
            Place::new(DOMAINS, State::other_order),
        ],
    },
    Action {
        id: Id::Invert,
        doc: "reverse the order",
        keys: &["I"],
        group: Group::Look,
        places: &[
            Place::new(PROCESSES, invert),
            Place::new(DOMAINS, State::invert_domains),
        ],
    },
    Action {
        id: Id::Tree,
        doc: "tree of parents and children",
        keys: &["t", "F5"],
        group: Group::Look,
        places: &[
            Place::new(PROCESSES, tree).label("Tree"),
            Place::new(DOMAINS, State::other_order),
        ],
    },
    Action {
        id: Id::KernelThreads,
        doc: "show or hide kernel threads",
        keys: &["K"],
        group: Group::Look,
        places: &[Place::new(PROCESSES, kernel_threads)],
    },
    Action {
        id: Id::Follow,
        doc: "keep the selected process on the screen",
        keys: &["F"],
        group: Group::Look,
        places: &[Place::new(TABLE, follow)],
    },
    Action {
        id: Id::ScrollRight,
        doc: "scroll the command lines to the right",
        keys: &["Right"],
        group: Group::Look,
        places: &[Place::new(TABLE, |s| scroll_commands(s, 8))],
    },
    Action {
        id: Id::ScrollLeft,
        doc: "scroll the command lines to the left",
        keys: &["Left"],
        group: Group::Look,
        places: &[Place::new(TABLE, |s| scroll_commands(s, -8))],
    },
    Action {
        id: Id::ScrollHome,
        doc: "the command lines from their beginning",
        keys: &["^"],
        group: Group::Look,
        places: &[Place::new(TABLE, |s| scroll_commands(s, i16::MIN))],
    },
    Action {
        id: Id::WholeCommands,
        doc: "command lines as they are, or without directories",
        keys: &["p"],
        group: Group::Look,
        places: &[Place::new(PROCESSES, whole_commands)],
    },
    Action {
        id: Id::Collapse,
        doc: "tree: hide or show what is below the process",
        keys: &["*"],
        group: Group::Look,
        places: &[Place::new(TABLE, collapse)],
    },
    Action {
        id: Id::Users,
        doc: "choose whose processes are shown",
        keys: &["W"],
        group: Group::Look,
        places: &[Place::new(TABLE, users), Place::dialog(&[KeyScope::Users])],
    },
    Action {
        id: Id::Tag,
        doc: "tag the process for adjust, cgroup and signal",
        keys: &["Space"],
        group: Group::Look,
        places: &[Place::new(TABLE, tag)],
    },
    Action {
        id: Id::TagFamily,
        doc: "tag the process and all below it",
        keys: &["Alt-c"],
        group: Group::Look,
        places: &[Place::new(TABLE, tag_family)],
    },
    Action {
        id: Id::SortMemory,
        doc: "sort by resident memory",
        keys: &["Alt-m"],
        group: Group::Look,
        places: &[Place::new(PROCESSES, |s| {
            sort_named(s, "rss", "resident memory")
        })],
    },
    Action {
        id: Id::SortCpu,
        doc: "sort by recent CPU use",
        keys: &["P", "Alt-p"],
        group: Group::Look,
        places: &[Place::new(PROCESSES, |s| {
            sort_named(s, "cpu", "processor time")
        })],
    },
    Action {
        id: Id::SortTime,
        doc: "sort by processor time since the start",
        keys: &["T", "Alt-t"],
        group: Group::Look,
        places: &[Place::new(PROCESSES, |s| {
            sort_named(s, "time", "processor time")
        })],
    },
    Action {
        id: Id::SortPid,
        doc: "sort by process id",
        keys: &["Alt-n"],
        group: Group::Look,
        places: &[Place::new(PROCESSES, |s| {
            sort_named(s, "pid", "process id")
        })],
    },
    Action {
        id: Id::Untag,
        doc: "untag all",
        keys: &["U"],
        group: Group::Look,
        places: &[Place::new(PROCESSES, untag)],
    },
    Action {
        id: Id::Back,
        doc: "back: close the dialog, clear the filter or the zoom, leave the pane",
        keys: &["Esc"],
        group: Group::Look,
        places: &[
            Place::new(TABLE, back::in_table),
            Place::new(DOMAINS, back::in_domains),
            Place::new(EVENTS, back::in_events),
            Place::new(PROMPTS, State::cancel_prompt),
            Place::dialog(DIALOGS),
        ],
    },
];

/// On a narrow screen the way to the processes of a domain is worth more than another order.
fn sort_label(state: &State) -> Option<String> {
    (state.size.0 >= 100).then(|| "Sort".to_owned())
}

/// What the key would show now.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a label")]
fn domains_label(state: &State) -> Option<String> {
    let label = if state.domains.open {
        "Processes"
    } else {
        "Domains"
    };
    Some(label.to_owned())
}
