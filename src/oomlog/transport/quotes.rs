//! Lines inside of others: in a field of a table, in quotes, in a web page.

/// Signs that quote a text.
const QUOTES: [char; 3] = ['"', '\'', '`'];
/// What ends a line of a web page.
const TAGS: [&str; 5] = ["<br>", "<br/>", "<br />", "</p>", "</pre>"];

/// The text in front ends inside a field that holds a message, in a table or as `msg="…`.
pub(super) fn is_field_of_text(front: &str) -> bool {
    let Some(before) = front.strip_suffix('"') else {
        return false;
    };
    [",", ";", "\t", "msg=", "message=", "MESSAGE=", "log="]
        .iter()
        .any(|end| before.ends_with(end))
}

/// The text without the end of the quotes that are open in front of it, and what follows them.
pub(super) fn closed<'a>(front: &str, text: &'a str) -> &'a str {
    let mut text = text;
    for quote in QUOTES {
        // The quote that closes at once is that of the field in front.
        let odd = front.matches(quote).count() % 2 == 1 && !text.starts_with(quote);
        if (odd || front.ends_with(quote))
            && let Some(at) = end_of_quote(text, quote)
        {
            text = text.get(..at).unwrap_or(text);
        }
    }
    let end = TAGS.iter().find_map(|tag| text.strip_suffix(tag));
    end.unwrap_or(text)
}

/// The quote that ends the field: the line, the list or another field follows.
fn end_of_quote(text: &str, quote: char) -> Option<usize> {
    let text = text.trim_end();
    text.match_indices(quote).find_map(|(at, _)| {
        let escaped = text.get(..at)?.ends_with('\\');
        let rest = text.get(at + 1..)?;
        let next = rest
            .strip_prefix(' ')
            .and_then(|rest| rest.split(' ').next());
        let is_end = rest.is_empty()
            || rest.starts_with([',', ';', '}', ']', '\t'])
            || next.is_some_and(|word| word.contains('='));
        (!escaped && is_end).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::{closed, is_field_of_text};

    #[test]
    fn a_field_ends_where_its_quote_does() {
        for (front, text, rest) in [
            ("\"a\",\"", "x big\",\"vmlab\"", "x big"),
            ("msg=\"", "x \"y\" big\" node=a", "x \"y\" big"),
            ("b'", "x\\n'", "x\\n"),
            ("{\"log\":\"", "a \\\" b\"}", "a \\\" b"),
            ("\"2026", "\",\"x", "\",\"x"),
            ("", "x \"", "x \""),
            ("<p>", "x</p>", "x"),
        ] {
            assert_eq!(closed(front, text), rest, "{front}{text}");
        }
        assert!(is_field_of_text("t=1 msg=\"") && is_field_of_text("\"a\",\""));
        assert!(!is_field_of_text("the query was \""));
    }
}
