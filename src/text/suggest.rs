//! The word that was meant, where a name is unknown.

/// Most bytes of a word that can be a misspelt name.
const LONGEST: usize = 60;

/// The nearest of `known`, if one is near enough: two letters away at most, or begun alike.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    // No name is as long, and the distance takes the product of both lengths.
    if word.len() > LONGEST {
        return None;
    }
    let distance = |known: &&str| distance(word, known);
    let near = known
        .iter()
        .copied()
        .min_by_key(distance)
        .filter(|near| distance(near) <= 2 && distance(near) < near.len());
    near.or_else(|| {
        let longer = |known: &&&str| word.len() > 2 && known.starts_with(word);
        known.iter().find(longer).copied()
    })
}

/// How many letters must be put in, taken out, replaced or swapped with the next (Damerau's distance).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, x) in a.iter().enumerate() {
        let mut this = vec![row + 1];
        for (column, y) in b.iter().enumerate() {
            let mut best = last[column] + usize::from(x != y);
            best = best.min(last[column + 1] + 1).min(this[column] + 1);
            let swapped = row > 0 && column > 0 && a[row - 1] == *y && b[column - 1] == *x;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            this.push(best);
        }
        before = std::mem::replace(&mut last, this);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn the_nearest_word_is_proposed_and_a_strange_one_is_not() {
        let known = ["level", "adj", "children", "command"];
        assert_eq!(nearest("levle", &known), Some("level"));
        assert_eq!(nearest("child", &known), Some("children"));
        assert_eq!(nearest("comand", &known), Some("command"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("x", &known), None);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
