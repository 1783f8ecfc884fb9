//! [`Census`]: all processes, and which rule holds each. It remembers whose descendant a process is, also when the
//! parent in between has ended.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::subject::Subject;
use super::{RuleId, Rules};
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Pid, ProcessId};

/// A process descends from one that a rule with `children` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The rule.
    pub rule: RuleId,
    /// The topmost process that it matches.
    pub supervisor: ProcessId,
}

/// The rule that holds a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// Which rule.
    pub rule: RuleId,
    /// The supervisor, if the process is held as its descendant.
    pub descends: Option<ProcessId>,
    /// What the rule gives; `None` if it leaves this process as it is.
    pub value: Option<OomScoreAdj>,
}

/// What a process is to its present parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tie {
    /// Made by it, as far as is known.
    #[default]
    Child,
    /// Its own parent has ended; the new one belongs to the family that the process has.
    Adopted,
    /// Its own parent has ended; the new one, as a rule pid 1, does not belong to that family.
    Orphan,
}

/// What is known of a pid.
#[derive(Debug, Clone, Default)]
struct Entry {
    /// `None` of a child that was announced and has not been looked at.
    subject: Option<Subject>,
    ppid: Pid,
    /// The rule that matches the process itself.
    own: Option<RuleId>,
    family: Option<Family>,
    tie: Tie,
    /// Entered since the last look at all processes.
    fresh: bool,
    /// It has ended. Children of it may still be told: whose descendants they are is known until the next look.
    gone: bool,
}

impl Entry {
    fn id(&self) -> Option<ProcessId> {
        self.subject.as_ref().map(|subject| subject.id)
    }

    /// What is known here is of the process with this id. An announced child has no id yet.
    fn is_of(&self, id: ProcessId) -> bool {
        self.id().map_or(!self.gone, |known| known == id)
    }

    /// A descendant that the rule of its supervisor matches too. A supervisor that has left its parent, as daemons do,
    /// is none.
    fn is_worker(&self) -> bool {
        let by = self.family.map(|family| family.rule);
        self.own.is_some() && self.own == by && self.tie != Tie::Orphan
    }
}

/// The processes by pid.
#[derive(Debug, Clone, Default)]
pub struct Census {
    rules: Rules,
    entries: HashMap<Pid, Entry>,
    /// Parent and child.
    links: BTreeSet<(Pid, Pid)>,
}

impl Census {
    /// Nobody yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The process as it was last seen.
    #[must_use]
    pub fn subject(&self, pid: Pid) -> Option<&Subject> {
        let entry = self.entries.get(&pid).filter(|entry| !entry.gone)?;
        entry.subject.as_ref()
    }

    /// All processes.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.entries
            .values()
            .filter(|entry| !entry.gone)
            .filter_map(|entry| entry.subject.as_ref())
    }

    /// The family of a process.
    #[must_use]
    pub fn family(&self, pid: Pid) -> Option<Family> {
        self.entries.get(&pid)?.family
    }

    /// Other rules. Who descends from whom by a rule on the same processes as before stays known; look at all
    /// processes again.
    pub fn change_rules(&mut self, rules: Rules) {
        for entry in self.entries.values_mut() {
            entry.family = entry.family.and_then(|family| {
                let rule = rules.heir_of(self.rules.get(family.rule)?)?;
                Some(Family { rule, ..family })
            });
            // Found again by the next look.
            entry.own = None;
        }
        self.rules = rules;
    }

    /// Replaces everybody by those who were seen in one look at all processes. Who was not seen is remembered until the
    /// next look, as the parent of children that were not told yet.
    pub fn replace(&mut self, subjects: Vec<Subject>) {
        let mut before = std::mem::take(&mut self.entries);
        self.links.clear();
        let mut waiting: HashMap<Pid, Subject> = subjects
            .into_iter()
            .map(|subject| (subject.id.pid, subject))
            .collect();
        let pids: Vec<Pid> = waiting.keys().copied().collect();
        for pid in pids {
            // The parent first. A damaged table may hold a circle: whoever is on the way is taken out already.
            let mut chain = Vec::new();
            let mut next = pid;
            while let Some(subject) = waiting.remove(&next) {
                next = subject.ppid;
                chain.push(subject);
            }
            for subject in chain.into_iter().rev() {
                let known = before.remove(&subject.id.pid);
                self.insert(subject, known);
            }
        }
        for (pid, entry) in before.into_iter().filter(|(_, entry)| entry.fresh) {
            let remembered = Entry {
                fresh: false,
                gone: true,
                ..entry
            };
            self.links.insert((remembered.ppid, pid));
            self.entries.insert(pid, remembered);
        }
        self.drop_ended_families();
    }

    /// A process has made a child that nobody has looked at yet: whose descendant it is, is known before the parent can
    /// end.
    pub fn forked(&mut self, parent: Pid, child: Pid) {
        let family = self.family_by(parent);
        self.forget(child);
        self.links.insert((parent, child));
        self.entries.insert(
            child,
            Entry {
                ppid: parent,
                family,
                fresh: true,
                ..Entry::default()
            },
        );
    }

    /// The pid is free, or its process cannot be looked at.
    pub fn forget(&mut self, pid: Pid) {
        if let Some(entry) = self.entries.remove(&pid) {
            self.links.remove(&(entry.ppid, pid));
        }
        self.disown(pid);
    }

    /// The process could not be looked at. Children of it may still be told, until the next look at all.
    pub fn ended(&mut self, pid: Pid) {
        if let Some(entry) = self.entries.get_mut(&pid) {
            entry.gone = true;
        }
    }

    /// Somebody was looked at. Returns whose holding may be another one now: the process, and descendants of it.
    pub fn take(&mut self, subject: Subject) -> Vec<Pid> {
        let pid = subject.id.pid;
        let known = self.entries.remove(&pid);
        if let Some(known) = &known {
            self.links.remove(&(known.ppid, pid));
        }
        let led = known.as_ref().and_then(|known| self.leads(known));
        let gave = known.as_ref().and_then(|known| self.gives(known));
        if known.as_ref().is_some_and(|known| !known.is_of(subject.id)) {
            self.disown(pid);
        }
        self.insert(subject, known);
        let leads = self.entries.get(&pid).and_then(|entry| self.leads(entry));
        let mut touched = vec![pid];
        if let Some(ended) = led.filter(|led| leads != Some(*led)) {
            self.end_family(ended, &mut touched);
        }
        if gave != self.family_by(pid) {
            self.hand_down(pid, &mut touched);
        }
        touched
    }

    /// A value was written to this process.
    pub fn wrote(&mut self, id: ProcessId, value: OomScoreAdj) {
        let entry = self.entries.get_mut(&id.pid);
        let subject = entry.and_then(|entry| entry.subject.as_mut());
        if let Some(subject) = subject.filter(|subject| subject.id == id) {
            subject.adj = Some(value);
        }
    }

    /// The rule that holds a process.
    #[must_use]
    pub fn holding(&self, pid: Pid) -> Option<Holding> {
        let entry = self.entries.get(&pid).filter(|entry| !entry.gone)?;
        if entry.subject.as_ref()?.is_exempt() {
            return None;
        }
        let descends = entry.own.is_none() || entry.is_worker();
        if let Some(family) = entry.family.filter(|_| descends) {
            return Some(Holding {
                rule: family.rule,
                descends: Some(family.supervisor),
                value: self.given(&family, entry),
            });
        }
        let rule = entry.own?;
        Some(Holding {
            rule,
            descends: None,
            value: self.rules.get(rule)?.own,
        })
    }

    /// What a descendant gets. Where the rule has no value for descendants, one that it matches too gets its value.
    fn given(&self, family: &Family, entry: &Entry) -> Option<OomScoreAdj> {
        let rule = self.rules.get(family.rule)?;
        let own = rule.own.filter(|_| entry.own == Some(family.rule));
        rule.children.or(own)
    }

    /// The family that this process is the supervisor of.
    fn leads(&self, entry: &Entry) -> Option<Family> {
        let (rule, supervisor) = (entry.own?, entry.id()?);
        let has_children = self.rules.get(rule)?.has_family();
        (has_children && !entry.is_worker()).then_some(Family { rule, supervisor })
    }

    /// The family of the children of this process.
    fn family_by(&self, parent: Pid) -> Option<Family> {
        self.gives(self.entries.get(&parent)?)
    }

    fn gives(&self, parent: &Entry) -> Option<Family> {
        self.leads(parent).or(parent.family)
    }

    /// Enters a process whose parent has been entered, with what was known of its pid.
    fn insert(&mut self, mut subject: Subject, known: Option<Entry>) {
        let (pid, parent) = (subject.id.pid, subject.ppid);
        let known = known.filter(|known| known.is_of(subject.id));
        // A command line that cannot be read now, because the process holds the lock for it, is what it was.
        let before = known.as_ref().and_then(|known| known.subject.as_ref());
        if let Some(before) = before.filter(|before| before.comm == subject.comm)
            && subject.command.is_none()
        {
            subject.command.clone_from(&before.command);
        }
        let by_parent = self.family_by(parent);
        let is_child = |known: &Entry| known.tie == Tie::Child && known.ppid == parent;
        let is_adopted = known.as_ref().is_some_and(|known| !is_child(known));
        let family = match known {
            // The parent in between has ended, not the family. Who adopts a process is an ancestor of it, so a family
            // that comes from there counts where no nearer one does.
            Some(known) if is_adopted => known.family.or(by_parent),
            Some(known) if !self.entries.contains_key(&parent) => known.family,
            _ => by_parent,
        };
        let is_within = |family: Family| by_parent.is_some_and(|by| by.rule == family.rule);
        let tie = match family {
            _ if !is_adopted => Tie::Child,
            Some(family) if is_within(family) => Tie::Adopted,
            _ => Tie::Orphan,
        };
        let own = self.rules.matching(&subject);
        self.links.insert((parent, pid));
        self.entries.insert(
            pid,
            Entry {
                subject: Some(subject),
                ppid: parent,
                own,
                family,
                tie,
                fresh: true,
                gone: false,
            },
        );
    }

    /// Another process has this pid now: the children of the old one are not its own.
    fn disown(&mut self, pid: Pid) {
        let children = self.links.range((pid, 0)..=(pid, Pid::MAX));
        let children: Vec<_> = children.copied().collect();
        for link in children {
            self.links.remove(&link);
        }
    }

    /// Gives the children of `top` their family anew, and theirs where it has changed.
    fn hand_down(&mut self, top: Pid, touched: &mut Vec<Pid>) {
        let (mut open, mut seen) = (vec![top], HashSet::from([top]));
        while let Some(parent) = open.pop() {
            let family = self.family_by(parent);
            let children = self.links.range((parent, 0)..=(parent, Pid::MAX));
            let children: Vec<Pid> = children.map(|(_, child)| *child).collect();
            for child in children {
                let Some(entry) = self.entries.get_mut(&child) else {
                    continue;
                };
                let keeps = entry.tie != Tie::Child && entry.family.is_some();
                if !keeps && entry.family != family && seen.insert(child) {
                    entry.family = family;
                    touched.push(child);
                    open.push(child);
                }
            }
        }
    }

    /// Nobody descends from this supervisor by this rule any more.
    fn end_family(&mut self, ended: Family, touched: &mut Vec<Pid>) {
        for (pid, entry) in &mut self.entries {
            if entry.family == Some(ended) {
                entry.family = None;
                touched.push(*pid);
            }
        }
    }

    /// Orphans of a process that lives and is no supervisor any more.
    fn drop_ended_families(&mut self) {
        let ended = |entry: &Entry| {
            let family = entry.family?;
            let supervisor = self.entries.get(&family.supervisor.pid)?;
            let lives = supervisor.id() == Some(family.supervisor);
            (lives && self.leads(supervisor) != Some(family)).then_some(())
        };
        let orphans: Vec<Pid> = self
            .entries
            .iter()
            .filter_map(|(pid, entry)| ended(entry).map(|()| *pid))
            .collect();
        for pid in orphans {
            if let Some(entry) = self.entries.get_mut(&pid) {
                entry.family = None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
