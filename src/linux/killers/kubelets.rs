//! Reads the eviction settings of a kubelet, also of one inside k3s.

use super::{arguments, file_of_root};
use crate::linux::SysRoot;
use crate::linux::kernel_file::{FileBuffer, lines};
use crate::linux::killers::unit_files::ConfigRoot;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::killers::kubelet::{Flavour, files, k3s_arguments, kubelet};
use crate::model::killers::{Killer, RunningKiller};
use crate::model::process::ProcessId;

/// The file of k3s's own settings.
const K3S_CONFIG: &str = "/etc/rancher/k3s/config.yaml";

/// True for the name of k3s with a kubelet inside.
pub(super) fn is_k3s(comm: &[u8]) -> bool {
    comm == b"k3s-server" || comm == b"k3s-agent"
}

/// The thresholds of this kubelet.
pub(super) fn read(root: &SysRoot, id: ProcessId, base: Option<&ConfigRoot<'_>>) -> RunningKiller {
    let Some(mut words) = arguments(root, id) else {
        let note = "its command line could not be read: its thresholds are unknown";
        return RunningKiller::unread(Killer::Kubelet, id, note);
    };
    let text = |path: &str| file_of_root(root, id, path, base?);
    let flavour = if name(root, id).is_some_and(|comm| is_k3s(&comm)) {
        words = k3s_arguments(&words, text(K3S_CONFIG).as_deref());
        Flavour::K3s
    } else {
        Flavour::Plain
    };
    let (config, dir) = files(&words);
    let mut unread = None;
    let mut texts = Vec::new();
    if let Some(path) = config {
        match text(path) {
            Some(text) => texts.push(text),
            None => unread = Some(path),
        }
    }
    // Drop-ins are not listed: the directory is that of another root.
    unread = unread.or(dir);
    kubelet(id, flavour, &words, &texts, unread)
}

fn name(root: &SysRoot, id: ProcessId) -> Option<Vec<u8>> {
    let process = PinnedProcess::open(root, id).ok()?;
    let mut buffer = FileBuffer::default();
    let status = buffer.read_single(process.dir(), "status").ok()?;
    let name = lines(status).next()?.strip_prefix(b"Name:")?;
    Some(name.trim_ascii().to_vec())
}
