//! The arguments of a tracepoint: what the kernel hands to a program at `BTF` type `btf_trace_NAME`.

use super::error::BtfError;
use super::format::{TypeId, kind};
use super::window::{Blob, word};
use super::{Btf, DEEPEST};

/// One argument of a tracepoint, which takes eight bytes of the program's context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument<'n> {
    /// A number of any size.
    Number,
    /// A pointer, to this structure if its name was asked for.
    Pointer(Option<&'n str>),
    /// Something else.
    Other,
}

impl<'n, B: Blob> Btf<'n, B> {
    /// The arguments of a tracepoint, by the name of its type, without the first one, which belongs to who is
    /// called (include/trace/bpf_probe.h).
    pub(crate) fn arguments(&mut self, of: &str) -> Result<Vec<Argument<'n>>, BtfError> {
        let id = self.named(kind::TYPEDEF, of)?;
        let pointer = self.resolved(id)?;
        let function = self.resolved(pointer.size_or_type)?;
        let count = usize::try_from(function.count).unwrap_or(usize::MAX);
        if (pointer.kind, function.kind) != (kind::PTR, kind::FUNC_PROTO) || count > DEEPEST {
            return Err(BtfError::Missing(format!("{of} of the shape known here")));
        }
        let mut arguments = Vec::with_capacity(count);
        for at in 1..function.count {
            let bytes = self.window.get(function.at + 12 + 8 * u64::from(at), 8)?;
            let of = word(bytes, 4);
            arguments.push(self.argument(of)?);
        }
        Ok(arguments)
    }

    fn argument(&mut self, id: TypeId) -> Result<Argument<'n>, BtfError> {
        let head = self.resolved(id)?;
        Ok(match head.kind {
            kind::INT | kind::ENUM | kind::ENUM64 => Argument::Number,
            // Type 0 is void.
            kind::PTR if head.size_or_type == 0 => Argument::Pointer(None),
            kind::PTR => {
                let target = self.resolved(head.size_or_type);
                Argument::Pointer(target.ok().and_then(|target| self.name(target.name)))
            }
            _ => Argument::Other,
        })
    }
}
