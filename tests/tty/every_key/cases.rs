//! What each action does, as a stranger sees it: where to press its key, and what must be on the screen then.

use oomtop::app::input::id::ActionId as Id;
use oomtop::app::input::scope::KeyScope::{self, *};

/// A step to the place where a key is pressed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Runs an action of this scope.
    Do(KeyScope, Id),
    /// Types letters.
    Type(&'static str),
}

/// What must be seen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fit {
    /// A dialog with these words in its title.
    Dialog(&'static str),
    /// These words, on any line.
    Shows(&'static str),
    /// These words are on the screen no more.
    Gone(&'static str),
    /// Something changes below the head.
    Changes,
    /// The same, and once more with the same key again.
    Toggles,
    /// The whole screen is drawn again.
    Redraws,
    /// The program ends well.
    Quits,
}

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// The dashboard.
    Machine,
    /// `oomtop replay`.
    Recording,
}

/// A place and what a key does there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) on: On,
    /// From the table to the place.
    pub(super) steps: &'static [Step],
    /// The scope of the key there.
    pub(super) scope: KeyScope,
    pub(super) fit: Fit,
    /// What puts the table right afterwards, besides going back to it.
    pub(super) after: &'static [Id],
}

const fn at(scope: KeyScope, steps: &'static [Step], fit: Fit) -> Case {
    Case {
        on: On::Machine,
        steps,
        scope,
        fit,
        after: &[],
    }
}

const fn table(fit: Fit) -> Case {
    at(Table, &[], fit)
}

const fn domains(fit: Fit) -> Case {
    at(Domains, &[Do(Table, Id::Domains)], fit)
}

const fn events(fit: Fit) -> Case {
    at(Events, &[Do(Table, Id::Events)], fit)
}

const fn replay(steps: &'static [Step], fit: Fit) -> Case {
    Case {
        on: On::Recording,
        ..at(Table, steps, fit)
    }
}

impl Case {
    const fn after(self, after: &'static [Id]) -> Self {
        Self { after, ..self }
    }
}

use Fit::{Changes, Dialog, Gone, Quits, Redraws, Shows, Toggles};
use Step::{Do, Type};

const HELP: &[Step] = &[Do(Table, Id::Help)];
const CGROUP: &[Step] = &[Do(Table, Id::Cgroup)];
const ADJUST: &[Step] = &[Do(Table, Id::Adjust)];
const SETUP: &[Step] = &[Do(Table, Id::Setup)];
const REPORT: &[Step] = &[Do(Table, Id::Events), Do(Events, Id::Details)];
/// nginx, which has children.
const NGINX: &[Step] = &[Type("1204"), Do(Pid, Id::Commit)];
const FOUND: &[Step] = &[Do(Table, Id::Search), Type("nginx"), Do(Search, Id::Commit)];
const COLUMNS: &[Step] = &[
    Do(Table, Id::Setup),
    Do(Setup, Id::Down),
    Do(Setup, Id::Down),
    Do(Setup, Id::Down),
    Do(Setup, Id::Down),
    Do(Setup, Id::Down),
    Do(Setup, Id::NextValue),
    Do(Columns, Id::Down),
];

/// Where to press the keys of an action, and what is seen. The first place is for each of its keys, the others for the first
/// key alone.
#[expect(
    clippy::too_many_lines,
    clippy::match_same_arms,
    reason = "a table, in the order of the help: the compiler asks for the row of a new action"
)]
pub(super) fn cases(id: Id) -> Vec<Case> {
    match id {
        Id::Help => vec![
            table(Dialog(": help")),
            domains(Dialog(": help")),
            events(Dialog(": help")),
        ],
        Id::Adjust => vec![table(Dialog("Adjust ")), domains(Dialog("Adjust "))],
        Id::Protect | Id::Expend => vec![table(Dialog("Adjust ")), at(Adjust, ADJUST, Changes)],
        Id::Cgroup => vec![table(Dialog("Cgroup of "))],
        Id::Signal => vec![
            table(Dialog("Send a signal to ")),
            domains(Dialog("Send a signal to ")),
        ],
        Id::Incident => vec![table(Dialog("Incident")), domains(Dialog("Incident"))],
        Id::Undo => vec![table(Shows("nothing to undo"))],
        Id::History => vec![table(Dialog("Writes of this session"))],
        Id::Filter => vec![
            table(Shows("Filter: ")),
            domains(Shows("Domains: ")),
            events(Shows("Events: ")),
        ],
        Id::Domains => vec![table(Shows("━ OOM domains")), domains(Shows("━ Processes"))],
        Id::Sort => vec![table(Dialog("Sort by")), domains(Dialog("Sort by"))],
        Id::Zoom => {
            const STEPS: &[Step] = &[Do(Table, Id::Domains), Do(Domains, Id::Down)];
            vec![at(Domains, STEPS, Shows("━ Processes")).after(&[Id::Back])]
        }
        Id::Details => vec![
            table(Dialog("Details of ")),
            domains(Dialog("OOM domain ")),
            events(Dialog("OOM report")),
        ],
        Id::Unfold => vec![domains(Changes)],
        Id::Fold => vec![at(
            Domains,
            &[Do(Table, Id::Domains), Do(Domains, Id::Unfold)],
            Changes,
        )],
        Id::Events => vec![table(Shows("━ OOM events")), events(Shows("━ Processes"))],
        Id::Older => vec![table(Shows("this machine's journal"))],
        Id::Settings => vec![table(Dialog("What decides the next OOM"))],
        Id::Rules => vec![table(Dialog("Rules of oomtop protect"))],
        Id::Ledger => vec![
            table(Dialog("Where the memory is")),
            domains(Dialog("Where the memory is")),
            events(Dialog("Where the memory is")),
        ],
        Id::NextPane => vec![table(Shows("━ OOM events")), events(Shows("━ Processes"))],
        Id::Search => vec![table(Shows("Search: "))],
        Id::NextMatch | Id::PreviousMatch => vec![at(Table, FOUND, Changes).after(&[Id::Home])],
        Id::SortRight
        | Id::SortLeft
        | Id::SortMemory
        | Id::SortCpu
        | Id::SortTime
        | Id::SortPid => {
            vec![table(Changes)]
        }
        Id::Invert | Id::Tree | Id::KernelThreads | Id::WholeCommands => vec![table(Toggles)],
        Id::Follow => vec![table(Shows("following"))],
        Id::ScrollRight => vec![table(Changes).after(&[Id::ScrollHome])],
        Id::ScrollLeft => vec![at(Table, &[Do(Table, Id::ScrollRight)], Changes)],
        Id::ScrollHome => vec![at(Table, &[Do(Table, Id::ScrollRight)], Changes)],
        Id::Collapse => {
            const STEPS: &[Step] = &[Do(Table, Id::Tree), Type("1204"), Do(Pid, Id::Commit)];
            vec![at(Table, STEPS, Toggles).after(&[Id::Tree, Id::Home])]
        }
        Id::Users => vec![table(Dialog("Whose processes"))],
        Id::Tag => vec![table(Changes).after(&[Id::Untag, Id::Home])],
        Id::TagFamily => vec![at(Table, NGINX, Changes).after(&[Id::Untag, Id::Home])],
        Id::Untag => vec![at(Table, &[Do(Table, Id::Tag)], Changes).after(&[Id::Home])],
        Id::Back => vec![
            at(Help, HELP, Gone(": help")),
            domains(Shows("━ Processes")),
            events(Shows("━ Processes")),
        ],
        Id::Up => vec![at(Table, &[Do(Table, Id::Down)], Changes)],
        Id::PageUp | Id::Home => vec![at(Table, &[Do(Table, Id::End)], Changes).after(&[Id::Home])],
        Id::Down | Id::PageDown | Id::End => vec![table(Changes).after(&[Id::Home])],
        Id::StepBack | Id::SecondsBack | Id::MinuteBack => {
            vec![replay(&[Do(Table, Id::MinuteForward)], Changes)]
        }
        Id::StepForward | Id::SecondsForward | Id::MinuteForward => {
            vec![replay(&[Do(Table, Id::MinuteBack)], Changes)]
        }
        Id::PreviousKill => vec![replay(&[Do(Table, Id::MinuteForward)], Changes)],
        Id::NextKill => vec![replay(&[Do(Table, Id::MinuteBack)], Changes)],
        Id::ToTime => vec![replay(&[], Shows("Time: "))],
        Id::PlayFaster | Id::PlaySlower => vec![replay(&[], Shows("speed "))],
        Id::Mark => vec![replay(&[], Shows("marked "))],
        Id::Compare => {
            const STEPS: &[Step] = &[
                Do(Table, Id::MinuteBack),
                Do(Table, Id::Mark),
                Do(Table, Id::MinuteForward),
            ];
            vec![replay(STEPS, Dialog("From "))]
        }
        Id::Setup => vec![table(Dialog("Settings of oomtop"))],
        Id::Pause => vec![table(Shows("PAUSED")).after(&[Id::Pause])],
        Id::SaveRecording => vec![table(Shows("--record-kills DIR"))],
        Id::Faster | Id::Slower => vec![table(Shows("refresh every "))],
        Id::Refresh => vec![table(Redraws)],
        // Below a shell, or nobody could let it go on: `tests/tty/tty.rs` presses it there.
        Id::Suspend => Vec::new(),
        Id::Quit => vec![table(Quits)],
        Id::Commit => {
            const PROMPT: &[Step] = &[Do(Table, Id::Filter), Type("zzz")];
            vec![
                at(Sort, &[Do(Table, Id::Sort)], Gone("Sort by")),
                at(Prompt, PROMPT, Gone("Filter: ")).after(&[Id::Back]),
            ]
        }
        Id::Close => vec![at(Help, HELP, Gone(": help"))],
        Id::ReadOn => vec![at(Help, HELP, Changes)],
        Id::Switch | Id::Whom => vec![at(Cgroup, CGROUP, Changes)],
        // For units of a systemd that answers, which a prepared tree has not: `tests/it/systemd.rs` presses them.
        Id::Lasting | Id::Policy => Vec::new(),
        Id::Rule => vec![at(Adjust, ADJUST, Dialog("Rule of "))],
        Id::Legacy => vec![at(Adjust, ADJUST, Changes)],
        Id::NextPage | Id::PreviousPage => vec![at(Report, REPORT, Changes)],
        Id::NextValue | Id::PreviousValue => {
            vec![at(Setup, SETUP, Changes), at(Columns, COLUMNS, Changes)]
        }
        Id::SaveSettings => {
            const STEPS: &[Step] = &[Do(Table, Id::Setup), Do(Setup, Id::NextValue)];
            vec![at(Setup, STEPS, Dialog("Create "))]
        }
        Id::ToggleColumn | Id::ColumnLeft | Id::ColumnRight => vec![at(Columns, COLUMNS, Changes)],
        Id::Save => vec![at(Report, REPORT, Shows("saved"))],
    }
}
