//! The rules of the machine: what the paper kernel has of them.

use oomtop::model::process::Process;
use oomtop::model::rules::book::{Found, RuleBook, survey};
use oomtop::model::rules::draft::Wish;
use oomtop::model::rules::own::OwnFile;
use oomtop::model::rules::subject::Subject;

use crate::common::paper_kernel::PaperKernel;

const FILE: &str = "/etc/oomtop/rules.d/50-oomtop.toml";

pub(super) fn book(kernel: &PaperKernel, living: &[Process], wish: Option<Wish>) -> RuleBook {
    let found = Found {
        own: OwnFile {
            path: FILE.to_owned(),
            text: kernel.rules.get(FILE).cloned(),
            ..OwnFile::default()
        },
        ..Found::default()
    };
    let subject = |process: &Process| Subject {
        id: process.id,
        ppid: process.ppid,
        comm: process.comm,
        uid: Some(process.uid),
        ..Subject::default()
    };
    survey(found, living.iter().map(subject).collect(), wish, |_| {
        Vec::new()
    })
}
