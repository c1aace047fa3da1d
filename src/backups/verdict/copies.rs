//! B17, the rule 3-2-1-1-0: three copies, two media, one off-site, one offline or immutable, no error. Pure.

use super::View;
use crate::backups::model::{Check, Plan, level};
use crate::clock::Millis;

/// How a system stands against 3-2-1-1-0, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// The data themselves and every repository from which they can be restored.
    pub copies: usize,
    /// Different media of the repositories; `None`: of at least one it is not said, and those known do not suffice.
    pub media: Option<usize>,
    /// Whether data can be restored from an off-site copy.
    pub offsite: bool,
    /// Whether a copy is offline or immutable; `None`: it is not said of all.
    pub immutable: Option<bool>,
    /// Whether every copy passed its last verification, in time; `None`: one was never verified.
    pub clean: Option<bool>,
}

impl Copies {
    /// Whether something is known to be wrong that no other finding tells: an error is B09's and B10's.
    pub fn is_short(&self) -> bool {
        self.copies < 3 || self.media.is_some_and(|n| n < 2) || !self.offsite || self.immutable == Some(false)
    }
}

/// Counts the copies of a system.
pub(super) fn count(views: &[View<'_>], checks: &[Check], plan: &Plan, now: Millis) -> Copies {
    let good: Vec<&View<'_>> = views.iter().filter(|v| v.newest().is_some()).collect();
    let of = |offsite: bool| plan.places.iter().find(|p| p.offsite == offsite);
    let media: Vec<&str> =
        good.iter().filter_map(|v| of(v.repo.offsite)).map(|p| p.medium.as_str()).filter(|m| !m.is_empty()).collect();
    let different = media.iter().collect::<std::collections::BTreeSet<_>>().len();
    let kept: Vec<Option<bool>> = good.iter().map(|v| of(v.repo.offsite).and_then(|p| p.immutable)).collect();
    let verified = good.iter().map(|v| {
        let mine = checks.iter().filter(|c| c.offsite == v.repo.offsite && c.level >= level::STRUCTURE);
        mine.max_by_key(|c| c.at).map(|c| c.ok && now - c.at <= plan.verify)
    });
    let verified: Vec<Option<bool>> = verified.collect();
    Copies {
        copies: 1 + good.len(),
        // two are enough, however many are not known
        media: (different >= 2 || media.len() == good.len()).then_some(different),
        offsite: good.iter().any(|v| v.repo.offsite),
        immutable: all_known(&kept, |k| k.contains(&Some(true))),
        clean: if verified.contains(&Some(false)) {
            Some(false)
        } else {
            verified.iter().all(Option::is_some).then_some(!verified.is_empty())
        },
    }
}

/// Yes as soon as one says so, no only where every one is known.
fn all_known(said: &[Option<bool>], yes: impl Fn(&[Option<bool>]) -> bool) -> Option<bool> {
    if yes(said) { Some(true) } else { said.iter().all(Option::is_some).then_some(false) }
}
