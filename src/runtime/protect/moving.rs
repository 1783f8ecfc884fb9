//! Moves processes into the groups of their rules.

use std::collections::BTreeSet;

use super::guard::Guard;
use super::move_tries::Act;
use crate::model::plan::receipt::{FailureKind, PlanReceipt};
use crate::model::process::Pid;
use crate::model::rules::rule_group::{RuleGroup, Transfer, transfer_of};
use crate::output::protect::Outcome;

impl Guard {
    /// Moves those of these processes that are not where their rule wants them.
    pub(super) fn move_all(&mut self, pids: &BTreeSet<Pid>, outcome: &mut Outcome) {
        if !self.rules().has_pens() {
            return;
        }
        for pid in pids {
            let Some(transfer) = transfer_of(&self.census, *pid) else {
                continue;
            };
            match self.tries.act(transfer.id, &transfer.rule_group) {
                Act::Nothing => {}
                Act::GiveUp => outcome.left.push(transfer),
                Act::Move => self.transfer(&transfer, outcome),
            }
        }
    }

    fn transfer(&mut self, transfer: &Transfer, outcome: &mut Outcome) {
        // From here on its pid is its own as long as it lives.
        self.writer.hold(&[transfer.id]);
        let Some(subject) = self.reader.read(transfer.id.pid) else {
            self.census.ended(transfer.id.pid);
            return;
        };
        self.census.take(subject);
        let now = transfer_of(&self.census, transfer.id.pid);
        let Some(transfer) =
            now.filter(|now| (now.id, &now.rule_group) == (transfer.id, &transfer.rule_group))
        else {
            return;
        };
        if let Some(why) = self.writer.refusal(&transfer) {
            self.tries.refused(transfer.id);
            outcome.unmoved.push((transfer, why));
            return;
        }
        if let Err(why) = self.make_ready(&transfer.rule_group, outcome) {
            self.tries.refused(transfer.id);
            outcome.unmoved.push((transfer, why));
            return;
        }
        match self.writer.transfer(&transfer) {
            Ok((receipts, lost)) => {
                if lost.is_some() {
                    outcome.refused = lost;
                }
                self.moved(
                    transfer,
                    receipts.iter().find_map(PlanReceipt::failure),
                    outcome,
                );
            }
            Err(why) => outcome.refused = Some(why),
        }
    }

    fn moved(
        &mut self,
        transfer: Transfer,
        failure: Option<&crate::model::plan::receipt::Failure>,
        outcome: &mut Outcome,
    ) {
        match failure {
            None => {
                if let Some(subject) = self.reader.read(transfer.id.pid) {
                    self.census.take(subject);
                }
                outcome.moved.push(transfer);
            }
            Some(failure) => match failure.kind {
                FailureKind::Gone | FailureKind::Reused => {}
                // Somebody has removed it: it is made again at the next look.
                FailureKind::NoGroup => self
                    .ready
                    .retain(|(rule_group, _)| *rule_group != transfer.rule_group),
                _ => {
                    self.tries.refused(transfer.id);
                    outcome.unmoved.push((transfer, failure.sentence.clone()));
                }
            },
        }
    }

    /// The group is there, with the limits of the rule where they could be written. Each group once.
    fn make_ready(&mut self, rule_group: &RuleGroup, outcome: &mut Outcome) -> Result<(), String> {
        if let Some((_, ready)) = self.ready.iter().find(|(known, _)| known == rule_group) {
            return ready.clone();
        }
        let ready = self.writer.prepare(rule_group);
        if let Ok(notes) = &ready {
            outcome.groups.extend(notes.iter().cloned());
        }
        let ready = ready.map(drop);
        self.ready.push((rule_group.clone(), ready.clone()));
        ready
    }
}
