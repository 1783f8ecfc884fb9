//! [`Homes`]: where everybody is before a move, for whom the move hits by mistake.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::CgroupWriter;
use crate::linux::cgroup::members::{each_group, threads};
use crate::linux::kernel_file::{FileBuffer, is_gone};
use crate::model::cgroup::CgroupPath;
use crate::model::process::Pid;

/// How long the places of all are good for the next move.
const FRESH: Duration = Duration::from_millis(100);

/// Where all threads are, before somebody moves some of them by their numbers: 4 bytes for each.
#[derive(Debug)]
pub(in crate::linux::write) struct Homes {
    /// Each group with its threads, in their order.
    groups: Vec<(CgroupPath, Vec<Pid>)>,
    /// Whom oomtop itself has moved since.
    moved: HashMap<Pid, CgroupPath>,
    /// The moment before the look, in ticks since boot as `/proc/PID/stat` has them: a number that was listed may be
    /// that of a younger process by the end of the look.
    at: u64,
    /// All groups could be read.
    is_whole: bool,
}

impl Homes {
    /// Where a process of this start time was; `None` for one that may be younger than the look.
    pub(super) fn of(&self, pid: Pid, start_ticks: u64) -> Option<&CgroupPath> {
        // A tick is 10 ms: who started in the same one may have come later.
        if start_ticks >= self.at {
            return None;
        }
        self.moved.get(&pid).or_else(|| {
            let mut groups = self.groups.iter();
            let (group, _) = groups.find(|(_, threads)| threads.binary_search(&pid).is_ok())?;
            Some(group)
        })
    }

    /// False if somebody may have been in a group that could not be read.
    pub(super) const fn is_whole(&self) -> bool {
        self.is_whole
    }
}

/// What was found before a move, for the next ones.
#[derive(Debug, Default)]
pub(super) struct LastLook(RefCell<Option<(Instant, Arc<Homes>)>>);

impl LastLook {
    /// Where everybody is, found by `look` if the last look is too old.
    fn homes(&self, look: impl FnOnce() -> Homes) -> Arc<Homes> {
        let mut last = self.0.borrow_mut();
        if let Some((read, homes)) = &*last
            && read.elapsed() < FRESH
        {
            return Arc::clone(homes);
        }
        let homes = Arc::new(look());
        *last = Some((Instant::now(), Arc::clone(&homes)));
        homes
    }

    /// oomtop has moved a process: it belongs there now. To be called when nobody holds the homes.
    pub(super) fn note(&self, pid: Pid, group: &CgroupPath) {
        let mut last = self.0.borrow_mut();
        let homes = last.as_mut().map(|(_, homes)| Arc::get_mut(homes));
        match homes {
            Some(Some(homes)) => {
                homes.moved.insert(pid, group.clone());
            }
            // Better none than a wrong one.
            Some(None) => *last = None,
            None => {}
        }
    }

    /// Others move processes too, by order of oomtop.
    fn forget(&self) {
        self.0.take();
    }
}

impl CgroupWriter {
    /// Reads where everybody is: from the lists of the groups, which are far fewer than the processes. For moves by
    /// another program.
    pub(in crate::linux::write) fn homes(&self) -> Homes {
        self.last_look.forget();
        self.look_for_homes()
    }

    /// As [`Self::homes`], for one of many moves by oomtop.
    pub(super) fn homes_before(&self) -> Arc<Homes> {
        self.last_look.homes(|| self.look_for_homes())
    }

    fn look_for_homes(&self) -> Homes {
        let at = next_tick();
        let mut groups = Vec::new();
        let mut buffer = FileBuffer::default();
        let mut is_whole = true;
        let looked = self.hierarchy.dir().and_then(|root| {
            each_group(root, b".", |relative| {
                match threads(root, relative, self.made_for, &mut buffer) {
                    Ok(all) if !all.is_empty() => {
                        let path = self.hierarchy.root_group();
                        let path = path.join(relative.strip_prefix(b".").unwrap_or(relative));
                        groups.push((path, all.into_iter().collect()));
                    }
                    // Nobody is moved back to a group that cannot be read.
                    Err(errno) if !is_gone(errno) => is_whole = false,
                    Ok(_) | Err(_) => {}
                }
                Ok(())
            })
        });
        Homes {
            groups,
            moved: HashMap::new(),
            at,
            is_whole: is_whole && looked == Ok(true),
        }
    }
}

/// Waits for the next tick, 10 ms at most, and returns it in ticks since boot. Whoever ran before the wait is older than that
/// tick; without it, who started in the same tick as the look would pass for younger and not be sent home.
fn next_tick() -> u64 {
    let since_boot = || Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default();
    let hz = u128::from(rustix::param::clock_ticks_per_second().max(1));
    let tick = |at: Duration| at.as_nanos() * hz / 1_000_000_000;
    let next = tick(since_boot()) + 1;
    while tick(since_boot()) < next {
        std::thread::sleep(Duration::from_millis(1));
    }
    u64::try_from(tick(since_boot())).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{Homes, LastLook};
    use crate::model::cgroup::CgroupPath;

    fn homes(group: &str) -> Homes {
        Homes {
            groups: vec![
                (CgroupPath::new("/other"), vec![3, 8]),
                (CgroupPath::new(group), vec![4, 7, 9]),
            ],
            moved: HashMap::new(),
            at: 100,
            is_whole: true,
        }
    }

    #[test]
    fn only_who_is_older_than_the_look_has_a_home() {
        let homes = homes("/web");
        let web = CgroupPath::new("/web");
        assert_eq!(homes.of(7, 99), Some(&web));
        // The number was listed, and this one may have got it later.
        assert_eq!(homes.of(7, 100), None);
        assert_eq!(homes.of(7, 101), None);
        assert_eq!(homes.of(5, 99), None);
    }

    #[test]
    fn moves_between_groups_share_a_look_and_are_known() {
        let last = LastLook::default();
        let (a, b) = (CgroupPath::new("/a"), CgroupPath::new("/b"));
        let first = last.homes(|| homes("/web"));
        assert_eq!(first.of(7, 99), Some(&CgroupPath::new("/web")));
        drop(first);
        last.note(7, &a);
        last.note(8, &b);
        last.note(9, &a);
        last.note(9, &b);
        // A look that has become too old, on a slow machine, would show the same groups.
        let again = last.homes(|| Homes {
            moved: [(7, a.clone()), (8, b.clone()), (9, b.clone())].into(),
            ..homes("/web")
        });
        let place = |pid| again.of(pid, 99);
        assert_eq!(
            (place(7), place(8), place(9)),
            (Some(&a), Some(&b), Some(&b))
        );
        assert_eq!(
            (place(3), place(4)),
            (
                Some(&CgroupPath::new("/other")),
                Some(&CgroupPath::new("/web"))
            )
        );
        // A newborn with the number of one that was moved has no home.
        assert_eq!(again.of(7, 100), None);
    }
}
