//! Which backups hang on which. Pure.

use super::{Outcome, Run, Tool};
use crate::clock::Millis;

/// Which of `runs` cannot be restored because they, or something they build on, failed or is gone (B07). For tools
/// without a chain only the run itself counts.
pub fn unrestorable(tool: Tool, runs: &[Run], now: Millis) -> Vec<bool> {
    let gone = |r: &Run| r.gone_at.is_some_and(|at| at <= now);
    let own: Vec<bool> = runs.iter().map(|r| r.outcome == Outcome::Failed || gone(r)).collect();
    if !tool.has_chain() {
        return own;
    }
    let by_id: std::collections::HashMap<&str, usize> =
        runs.iter().enumerate().map(|(i, r)| (r.id.as_str(), i)).collect();
    let mut bad = own;
    for start in 0..runs.len() {
        let mut at = start;
        // a chain is never longer than the list; a ring in a hostile file ends here
        for _ in 0..runs.len() {
            if at != start && bad[at] {
                bad[start] = true;
                break;
            }
            match &runs[at].prior {
                None => break,
                Some(prior) => match by_id.get(prior.as_str()) {
                    Some(next) if *next != at => at = *next,
                    _ => {
                        bad[start] = true;
                        break;
                    }
                },
            }
        }
    }
    bad
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incremental_without_its_ancestor_cannot_be_restored_and_neither_can_its_children() {
        let run = |id: &str, prior: Option<&str>| Run { prior: prior.map(Into::into), ..Run::new(id, 0) };
        let mut runs = vec![run("F", None), run("F_1I", Some("F")), run("F_2I", Some("F_1I")), run("G", None)];
        assert_eq!(unrestorable(Tool::Pgbackrest, &runs, 9), [false; 4]);
        runs[1].outcome = Outcome::Failed;
        assert_eq!(unrestorable(Tool::Pgbackrest, &runs, 9), [false, true, true, false]);
        runs.remove(1);
        assert_eq!(unrestorable(Tool::Pgbackrest, &runs, 9), [false, true, false]);
        // dedup tools have no chain: each snapshot stands alone
        assert_eq!(unrestorable(Tool::Restic, &runs, 9), [false; 3]);
        let ring = [run("a", Some("b")), run("b", Some("a"))];
        assert_eq!(unrestorable(Tool::Pgbackrest, &ring, 9).len(), 2, "a ring ends");
    }
}
