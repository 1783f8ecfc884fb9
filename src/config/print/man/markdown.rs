//! Pages that are written as Markdown: headings, paragraphs, lists, tables, indented lines.

use super::roff::Roff;

/// Appends the text to the page. A table becomes a list: its last column says what the others are.
pub(super) fn append(roff: &mut Roff, text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let mut rest = lines.as_slice();
    while let Some(kind) = rest.first().map(|line| Kind::of(line)) {
        let same = rest.iter().take_while(|line| Kind::of(line).follows(kind));
        let (block, after) = rest.split_at(same.count().max(1));
        match kind {
            Kind::Blank => {}
            Kind::Heading => heading(roff, block[0]),
            Kind::Literal => literal(roff, block),
            Kind::Table => table(roff, block),
            Kind::Text => roff.paragraph(&links(&block.join(" "))),
        }
        rest = after;
    }
}

/// What a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Heading,
    Literal,
    Table,
    Text,
}

impl Kind {
    fn of(line: &str) -> Self {
        match line {
            line if line.trim().is_empty() => Self::Blank,
            line if line.starts_with('#') => Self::Heading,
            line if line.starts_with("    ") => Self::Literal,
            line if line.starts_with('|') => Self::Table,
            _ => Self::Text,
        }
    }

    /// True if a line of this kind goes on with what one of that kind has begun.
    fn follows(self, first: Self) -> bool {
        match first {
            Self::Heading => false,
            first => self == first,
        }
    }
}

fn heading(roff: &mut Roff, line: &str) {
    let title = line.trim_start_matches('#').trim();
    if line.starts_with("##") {
        roff.subsection(title);
    } else {
        roff.section(title);
    }
}

fn literal(roff: &mut Roff, block: &[&str]) {
    roff.literal(block.iter().map(|line| line.get(4..).unwrap_or_default()));
}

fn table(roff: &mut Roff, block: &[&str]) {
    let is_rule = |line: &str| line.chars().all(|c| "|-: ".contains(c));
    let rows = block.iter().filter(|line| !is_rule(line));
    let is_headed = block.get(1).is_some_and(|line| is_rule(line));
    for (at, row) in rows.enumerate() {
        let row = row.trim().trim_start_matches('|').trim_end_matches('|');
        let cells: Vec<_> = row.split('|').map(|cell| links(cell.trim())).collect();
        let Some((what, tag)) = cells.split_last() else {
            continue;
        };
        let tag: Vec<_> = tag
            .iter()
            .map(String::as_str)
            .filter(|cell| !cell.is_empty())
            .collect();
        let tag = tag.join(", ");
        if at == 0 && is_headed {
            roff.paragraph(&format!("{what} ({tag}):"));
        } else {
            roff.item(&tag, [what.as_str()]);
        }
    }
}

/// Without the targets of links: `[Index]` and `[text](address)` are what they show.
fn links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let Some((inner, behind)) = after.split_once(']') else {
            break;
        };
        out += before;
        let target = behind
            .strip_prefix('(')
            .and_then(|behind| behind.split_once(')'));
        // A class of characters, or a heading of TOML, is no link.
        let is_link = inner.starts_with('`') || target.is_some();
        if is_link {
            out += inner;
        } else {
            out.extend(["[", inner, "]"]);
        }
        rest = target.map_or(behind, |(_, behind)| behind);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::super::roff::Roff;
    use super::append;

    #[test]
    fn each_kind_of_block_has_its_macros() {
        let mut roff = Roff::new("x", 5, "2026-01-01", "m");
        let text = "# One\n\nA [`Link`] and\n`[[rule]]`.\n\n    $ x\n\n## Two\n| a | b | c |\n|--:|---|---|\n| 1 | 2 | three |\n";
        append(&mut roff, text);
        let source = roff.source();
        let expected = ".SH \"ONE\"\nA \\fBLink\\fR and \\fB[[rule]]\\fR.\n.PP\n.RS 4\n.EX\n$ x\n.EE\n.RE\n.SS \"Two\"\n\
            c (a, b):\n.TP\n1, 2\nthree\n";
        assert_eq!(
            source.split_once('\n').map(|(_, rest)| rest),
            Some(expected)
        );
    }
}
