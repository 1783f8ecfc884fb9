//! What the domains cost: 2 000 groups with limits against the scan of 2 000 processes, as a ratio of
//! processor time in one run. Needs root and a memory controller; skips loudly otherwise.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use crate::common::crowd::Crowd;
use crate::common::memcg::{Memcg, Version};
use crate::common::patience::{processor_time, until};
use oomtop::app::State;
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::app::update::update;
use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::model::snapshot::Needs;
use oomtop::model::time::{Monotonic, Now};
use oomtop::ui::Screen;
use oomtop::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const MANY: usize = 2_000;

/// Samples that are measured; the first ones read everything and are left out.
const WARM: u64 = 12;
const MEASURED: u64 = 24;

/// Groups with a limit of their own inside one; removed when dropped, before that one.
struct Groups(Vec<std::path::PathBuf>);

impl Groups {
    fn make(parent: &Memcg) -> std::io::Result<Self> {
        let (file, limit) = match parent.version() {
            Version::V1 => ("memory.limit_in_bytes", "67108864"),
            Version::V2 => {
                std::fs::write(parent.dir().join("cgroup.subtree_control"), "+memory")?;
                ("memory.max", "67108864")
            }
        };
        let mut groups = Self(Vec::with_capacity(MANY));
        for n in 0..MANY {
            let dir = parent.dir().join(format!("g{n:04}"));
            std::fs::create_dir(&dir)?;
            groups.0.push(dir.clone());
            std::fs::write(dir.join(file), limit)?;
        }
        Ok(groups)
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for dir in &self.0 {
            // A killed process may take a moment to leave the group.
            if !until(|| std::fs::remove_dir(dir).is_ok() || !dir.exists()) {
                crate::common::measured(&format!("{} could not be removed", dir.display()));
                return;
            }
        }
    }
}

/// A sampler and what its samples took, in microseconds.
struct Meter {
    sampler: Sampler,
    /// Takes the samples in and shows them.
    state: Option<State>,
    took: Vec<i64>,
}

impl Meter {
    fn of(root: SysRoot) -> Self {
        // Read every process in every sample: skipping idle ones would make the scan look cheap.
        let sampler = Sampler::with_backend(root, BackendChoice::ProcAll).expect("a sampler");
        Self {
            sampler,
            state: None,
            took: Vec::new(),
        }
    }

    /// With a screen of 200x50, on it the processes or the domains.
    fn with_screen(mut self, domains: bool) -> Self {
        let host = self.sampler.host().clone();
        let mut state = State::new(Settings::default(), host, (200, 50), Now::default());
        if domains {
            update(&mut state, Msg::Key("d".parse().expect("a key")));
        }
        self.state = Some(state);
        self
    }

    /// Takes a sample, takes it in and draws it; returns how many domains there were.
    fn sample(&mut self, second: u64) -> usize {
        let now = Now {
            monotonic: Monotonic(second * 1_000_000),
            ..Now::default()
        };
        let before = processor_time();
        let needs = self.state.as_ref().map(|state| Needs {
            groups: state.shown_groups(),
            ..Needs::default()
        });
        let snapshot = self.sampler.sample(&needs.unwrap_or_default(), now);
        let snapshot = snapshot.expect("a sample");
        if let Some(state) = &mut self.state {
            update(state, Msg::Tick(now));
            update(state, Msg::Sampled(Arc::clone(&snapshot)));
            let mut buffer = Buffer::empty(Rect::new(0, 0, 200, 50));
            let theme = Theme::colours();
            Screen {
                state,
                theme: &theme,
            }
            .draw(buffer.area, &mut buffer);
        }
        let took =
            i64::try_from(processor_time().saturating_sub(before).as_micros()).unwrap_or(i64::MAX);
        if second > WARM {
            self.took.push(took);
        }
        snapshot.domains.len()
    }

    fn median(mut self) -> i64 {
        self.took.sort_unstable();
        self.took[self.took.len() / 2]
    }
}

#[test]
fn two_thousand_groups_cost_no_more_than_scanning_two_thousand_processes() {
    let test = "two_thousand_groups_cost_no_more_than_scanning_two_thousand_processes";
    let Some(parent) = Memcg::create("cost") else {
        return;
    };
    let groups = match Groups::make(&parent) {
        Ok(groups) => groups,
        Err(error) => {
            crate::common::skipped(test, &format!("{MANY} cgroups cannot be made: {error}"));
            return;
        }
    };
    // Declared after the groups, so it is dropped first, even on failure, and leaves them empty.
    let Some(crowd) = Crowd::start(test, MANY) else {
        return;
    };
    for (child, dir) in crowd.0.iter().zip(&groups.0) {
        std::fs::write(dir.join("cgroup.procs"), child.id().to_string())
            .expect("the process moves");
    }
    // Alternate a sampler without cgroups and one with cgroups, so that other load affects both alike.
    let none = tempfile::tempdir().expect("a temporary directory");
    let mut without = Meter::of(SysRoot {
        cgroup: none.path().to_owned(),
        ..SysRoot::default()
    })
    .with_screen(false);
    let mut with = Meter::of(SysRoot::default()).with_screen(true);
    let mut seen = 0;
    for second in 1..=WARM + MEASURED {
        without.sample(second);
        seen = with.sample(second);
    }
    assert!(seen >= MANY, "{seen} domains");
    drop(crowd);
    drop(groups);
    let scan = without.median();
    let domains = with.median() - scan;
    crate::common::measured(&format!(
        "a sample of {MANY} processes takes {scan} us, their {MANY} groups take {domains} us more"
    ));
    // Without optimisation oomtop's own arithmetic costs several times more, while the kernel's part costs
    // the same.
    let most = if cfg!(debug_assertions) {
        scan * 3
    } else {
        scan
    };
    assert!(
        domains <= most,
        "the groups cost {domains} us, the scan {scan} us"
    );
}
