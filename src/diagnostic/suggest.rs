//! Did you mean.

/// The candidate nearest to `name` by edit distance, or none where nothing is near.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Of one or two letters, all names are near each other: only case may differ.
    let near = (name.chars().count() / 3).min(3);
    let wanted = name.to_lowercase();
    let scored = candidates.into_iter().map(|c| (distance(&wanted, &c.to_lowercase(), near), c));
    scored.filter(|(d, c)| *d <= near && *c != name).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// Edit distance with swaps of neighbours; `most + 1` where it is larger than `most`.
fn distance(a: &str, b: &str, most: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most || a.len() > 200 {
        return most + 1;
    }
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut cost = (rows[i][j] + usize::from(x != y)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                cost = cost.min(rows[i - 1][j - 1] + 1);
            }
            row.push(cost);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["SigninLogs", "AuditLogs", "OfficeActivity"];
        assert_eq!(closest("SignInLogs", names), Some("SigninLogs"));
        assert_eq!(closest("Auditlgos", names), Some("AuditLogs"));
        assert_eq!(closest("Heartbeat", names), None);
        assert_eq!(closest("x", ["t", "y"]), None);
        assert_eq!(closest("ID", ["Id", "Ip"]), Some("Id"));
    }
}
