//! One OOM report in full: Summary, Memory, Tasks, Raw. The dialog can save the report. It builds only the
//! rows on the screen, however long the kernel's table is.

use std::sync::Arc;

use super::rows::Page as Room;
use super::scroll::Scroll;
use super::wrap::wrap;
use super::{Dialog, DialogContext, DialogView, Outcome, Section};
use crate::app::input::id::ActionId as Id;
use crate::app::input::key::Key;
use crate::app::input::keymap::Keymap;
use crate::app::input::scope::KeyScope;
use crate::app::msg::Effect;
use crate::model::process::Pid;
use crate::model::recall::Remembered;
use crate::model::systemd::CommandUser;
use crate::model::traced::TracedKill;
use crate::oomlog::OomReport;
use crate::oomlog::analysis::advice::{Advice, advice};
use crate::oomlog::analysis::holders::by_name;
use crate::oomlog::analysis::page_kb;
use crate::oomlog::analysis::ranking::ranking;
use crate::oomlog::analysis::verdict::Verdict;
use crate::text::format::number_of;
use crate::text::report::tasks_page::{TaskBadness, TaskOrder, badness, head, line, order};
use crate::text::report::{Page, memory_page, summary};
use crate::text::tone::{Line, Tone};
use crate::text::traced::fact_lines;

/// Rows handed to the renderer: more than any screen is high.
const WINDOW: usize = 500;

/// Victims whose facts from tracepoints are listed.
const TRACED: usize = 3;

/// Shows one report as it was when opened.
#[derive(Debug)]
pub struct ReportDialog {
    report: Arc<OomReport>,
    remembered: Vec<(Pid, Remembered)>,
    /// What tracepoints told of its victims.
    traced: Vec<(Pid, Arc<TracedKill>)>,
    page: Page,
    scroll: Scroll,
    page_kb: u64,
    /// Badness of each row of the table.
    points: Vec<TaskBadness>,
    by: TaskOrder,
    /// Rows of the table, in the order `by`.
    rows: Vec<usize>,
    /// Result of the last save.
    saved: Option<Line>,
}

impl ReportDialog {
    /// Opens for a report, with what was known of its victims before they died, and what tracepoints told of them.
    pub fn new(
        report: Arc<OomReport>,
        remembered: Vec<(Pid, Remembered)>,
        traced: Vec<(Pid, Arc<TracedKill>)>,
    ) -> Self {
        let ranking = ranking(&report);
        let table = report.tasks.as_ref();
        let points = table
            .map(|table| badness(table, ranking.as_ref()))
            .unwrap_or_default();
        let by = TaskOrder::default();
        let rows = report
            .tasks
            .as_ref()
            .map(|table| order(table, &points, by))
            .unwrap_or_default();
        let page_kb = page_kb(&report).unwrap_or(4);
        Self {
            report,
            remembered,
            traced,
            page: Page::default(),
            scroll: Scroll::default(),
            page_kb,
            points,
            by,
            rows,
            saved: None,
        }
    }

    /// The lines of the page from `first` on, and the number of all its lines.
    fn window(&self, first: usize, (keymap, user): (&Keymap, CommandUser)) -> (Vec<Line>, usize) {
        match self.page {
            Page::Summary => {
                let key = |step: &Advice| {
                    let (action, _) = deed(step)?;
                    Some(keymap.key_in(KeyScope::Report, action)?.to_string())
                };
                let mut lines =
                    summary::lines_with_keys(&self.report, &self.remembered, (&key, user));
                lines.extend(self.traced_lines());
                all(lines, first)
            }
            Page::Memory => all(memory_page::lines(&self.report, self.page_kb), first),
            Page::Tasks => (self.task_lines(first), self.rows.len()),
            Page::Raw => {
                let raw = &self.report.raw;
                let lines = raw
                    .lines()
                    .skip(first)
                    .take(WINDOW)
                    .map(Line::from)
                    .collect();
                (lines, raw.lines().count())
            }
        }
    }

    /// What tracepoints told beside the log, each fact with its source.
    fn traced_lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (pid, traced) in self.traced.iter().take(TRACED) {
            lines.push(Line::new());
            lines.push(Line::of(
                Tone::Strong,
                format!("Told of {pid} beside the log:"),
            ));
            lines.extend(fact_lines(traced));
        }
        if let Some(more) = self
            .traced
            .len()
            .checked_sub(TRACED)
            .filter(|more| *more > 0)
        {
            let more = number_of(more as u64, "other victim", "other victims");
            lines.push(Line::of(Tone::Dim, format!("And the same of {more}.")));
        }
        lines
    }

    fn task_lines(&self, first: usize) -> Vec<Line> {
        let Some(table) = &self.report.tasks else {
            return vec![Line::of(
                Tone::Dim,
                "The report holds no table of tasks (vm.oom_dump_tasks is 0, or the log has lost it).",
            )];
        };
        let shown = self.rows.iter().skip(first).take(WINDOW).filter_map(|at| {
            let row = table.rows.get(*at)?;
            Some(line(
                row,
                self.points
                    .get(*at)
                    .copied()
                    .unwrap_or(TaskBadness::Unknown),
                self.page_kb,
                &self.report,
            ))
        });
        std::iter::once(head()).chain(shown).collect()
    }

    fn turn_to(&mut self, page: Page) {
        self.page = page;
        self.scroll = Scroll::default();
    }

    /// Scrolls. A page starts where the page before it ended; the last page is full.
    fn scroll_on(&mut self, action: Id, context: &DialogContext<'_>) {
        let (screen, whose) = (context.screen, keys_and_user(context));
        let (width, height) = Room::most(screen);
        let height_of = |line: &Line| wrap(line, usize::from(width)).len();
        // Lines above the page that do not scroll. The tabs have a row, and so has the gap.
        let above = [Some(Line::new()), self.saved.clone(), Some(Line::new())];
        let head = (self.page == Page::Tasks && self.report.tasks.is_some()).then(head);
        let above = above.iter().chain([&head]).flatten().map(height_of).sum();
        let room = usize::from(height).saturating_sub(above).max(1);
        let skipped = usize::from(head.is_some());
        let fit = |lines: &mut dyn Iterator<Item = &Line>| {
            let used = lines.scan(0, |used, line| {
                *used += height_of(line);
                Some(*used)
            });
            used.take_while(|used| *used <= room).count().max(1)
        };
        // Every line takes at least one row, so a page cannot hold more lines than rows.
        let before = |end: usize| {
            let lines = self.window(end.saturating_sub(room), whose).0;
            let shown = lines.iter().skip(skipped).take(room.min(end));
            fit(&mut shown.collect::<Vec<_>>().into_iter().rev())
        };
        let total = self.window(usize::MAX, whose).1;
        let last = total.saturating_sub(before(total));
        let page = if action == Id::PageUp {
            before(self.scroll.first())
        } else {
            let lines = self.window(self.scroll.first(), whose).0;
            fit(&mut lines.iter().skip(skipped).take(room))
        };
        self.scroll.turn(action, last, page);
    }

    fn tabs(&self) -> Section {
        let note = if self.page == Page::Tasks {
            let listed = self.report.tasks.as_ref().map_or(0, |table| table.listed());
            let tasks = number_of(listed, "task", "tasks");
            format!("  {tasks} by {}", self.by.name())
        } else {
            String::new()
        };
        Section::Tabs {
            names: Page::ALL.iter().map(|page| page.name()).collect(),
            selected: Page::ALL
                .iter()
                .position(|page| *page == self.page)
                .unwrap_or(0),
            note,
        }
    }
}

impl ReportDialog {
    /// The process name that an action applies to: the name in the advice. Without advice, the group dialog
    /// takes the name that held most memory, and the adjust dialog takes the name that died, to protect its
    /// next run.
    fn name_for(&self, action: Id) -> Option<String> {
        let advised = advice(&self.report, &Verdict::new(&self.report))
            .iter()
            .filter_map(deed)
            .find_map(|(of, comm)| (of == action).then(|| comm.to_owned()));
        advised.or_else(|| match action {
            Id::Cgroup => Some(by_name(&self.report)?.into_iter().next()?.comm),
            _ => self.report.kills.first().map(|kill| kill.comm.clone()),
        })
    }

    /// Does what the Summary advises, to the largest running process of that name.
    fn act(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        let Some(name) = self.name_for(action) else {
            return Outcome::Stay;
        };
        let processes = &context.cells.snapshot.processes;
        let running = processes.iter().filter(|p| p.comm.text() == name);
        if let Some(process) = running.max_by_key(|p| p.charged_pages()) {
            return Outcome::ActOn(process.id, action);
        }
        let text = format!("no process named {name} runs now");
        self.saved = Some(Line::of(Tone::Watch, text));
        Outcome::Stay
    }
}

/// The action that carries out a step of the advice, and the process name it applies to.
fn deed(step: &Advice) -> Option<(Id, &str)> {
    match step {
        Advice::LimitAlone { comm, .. } => Some((Id::Cgroup, comm)),
        Advice::Protect { comm, .. } => Some((Id::Adjust, comm)),
        Advice::MakeKillable { largest, .. } => Some((Id::Adjust, largest.as_deref()?)),
        Advice::FreeTmpfs
        | Advice::SlowWriters { .. }
        | Advice::FindKernelMemory { .. }
        | Advice::FreeHugePages
        | Advice::AskDrivers
        | Advice::Compact
        | Advice::RelieveZones { .. }
        | Advice::WidenNodes
        | Advice::FindLimit { .. }
        | Advice::FindWhoAsked
        | Advice::FindBpfProgram
        | Advice::RankAgain
        | Advice::RaiseLimit { .. }
        | Advice::FindReport
        | Advice::AddSwap => None,
    }
}

/// A short page: builds all lines, then drops the scrolled ones.
fn all(lines: Vec<Line>, scroll: usize) -> (Vec<Line>, usize) {
    let total = lines.len();
    (lines.into_iter().skip(scroll).collect(), total)
}

impl Dialog for ReportDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Report
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        match action {
            Id::Cgroup | Id::Adjust => return self.act(action, context),
            Id::Back | Id::Commit => return Outcome::Close,
            Id::NextPage => self.turn_to(self.page.next()),
            Id::PreviousPage => self.turn_to(self.page.previous()),
            Id::Sort | Id::SortRight if self.page == Page::Tasks => {
                self.by = self.by.next();
                if let Some(table) = &self.report.tasks {
                    self.rows = order(table, &self.points, self.by);
                }
                self.scroll = Scroll::default();
            }
            Id::Save => {
                self.saved = Some(Line::of(Tone::Dim, "saving …"));
                return Outcome::Perform(vec![Effect::Save {
                    report: Arc::clone(&self.report),
                    remembered: self.remembered.clone(),
                }]);
            }
            _ => self.scroll_on(action, context),
        }
        Outcome::Stay
    }

    /// A digit turns to the page of that number.
    fn on_text(&mut self, key: Key, _: &DialogContext<'_>) -> Outcome {
        let number = key.typed().and_then(|c| c.to_digit(10));
        let page = number.and_then(|n| Page::ALL.get((n as usize).checked_sub(1)?));
        if let Some(page) = page {
            self.turn_to(*page);
        }
        Outcome::Stay
    }

    fn on_saved(&mut self, outcome: &Result<String, String>) {
        self.saved = Some(match outcome {
            Ok(files) => Line::of(Tone::Good, format!("saved {files}")),
            Err(reason) => Line::of(Tone::Critical, reason.clone()),
        });
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let victim = self.report.kills.first().map_or_else(String::new, |kill| {
            format!(": {} {} was killed", kill.pid, kill.comm)
        });
        let (lines, total) = self.window(self.scroll.first(), keys_and_user(context));
        let hints = context
            .hints(self.scope())
            .on(&[Id::NextPage], "page")
            .on(&[Id::Up, Id::Down], "scroll")
            .on(&[Id::Save], "save")
            .on(&[Id::Adjust], "protect")
            .on(&[Id::Cgroup], "fence in")
            .on_if(self.page == Page::Tasks, &[Id::Sort], "sort")
            .leave();
        DialogView {
            title: format!("OOM report{victim}"),
            hints,
            steady: true,
            window: Some((self.scroll.first(), total)),
            ..DialogView::default()
        }
        .with(self.tabs())
        .text(self.saved.iter().cloned().collect())
        .gap()
        .text(lines)
    }
}

/// The keys that the page names, and for whom its commands are.
fn keys_and_user<'a>(context: &DialogContext<'a>) -> (&'a Keymap, CommandUser) {
    (context.keymap, context.host.command_user)
}
