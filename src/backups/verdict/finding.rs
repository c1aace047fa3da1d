//! What can be found about a system: the definitions B00 to B19. Pure.

use super::copies::Copies;
use crate::backups::anomaly::Odd;
use crate::backups::model::{Check, LookState};
use crate::backups::slots::Slot;
use crate::clock::Millis;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth knowing; last night is safe all the same.
    Info,
    /// Something is not as it should be.
    Warn,
    /// Data would be lost.
    Critical,
}

impl Weight {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What was found; the ids are those of the definitions.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// B00: no run is known.
    Never,
    /// B01: nothing ran in the last slot.
    Missed(Slot),
    /// B02: the newest good full is older than the last due weekly slot.
    FullOverdue(Option<Millis>, Slot),
    /// B03: the latest run failed.
    Failed(Millis, String),
    /// B04: the latest run ended with warnings.
    Partial(Millis),
    /// B05: running for too long, since.
    Stuck(Millis),
    /// B06: age of the newest restorable data, and the limit.
    Rpo(Option<Millis>, Millis),
    /// B07: the run whose ancestor is gone or bad, and how many cannot be restored.
    Chain(String, usize),
    /// B08: how far the off-site copy lags (`None`: it is empty), and the limit.
    OffsiteLag(Option<Millis>, Millis),
    /// B09: the newest verification (`None`: none), and the limit.
    VerifyOverdue(Option<Millis>, Millis),
    /// B10: a check found damage.
    Corrupt(Check),
    /// B11: the newest passed restore test (`None`: none), and the limit.
    TestOverdue(Option<Millis>, Millis),
    /// B12: the last restore test failed.
    TestFailed(Check),
    /// B13: measured or projected minutes of a restore, and the limit.
    TestSlow(f64, Millis),
    /// B14 to B16.
    Odd(Odd),
    /// B15 with B16: the shape of ransomware.
    Ransom,
    /// B17: what is known of 3-2-1-1-0 falls short.
    Copies(Copies),
    /// B18: after the next prune this many fulls are left (off-site or not), and how many should be.
    TooFewFulls(bool, usize, usize),
    /// B18: this full was removed at this age, and how long it should have been kept.
    KeptTooShort(String, Millis, Millis),
    /// B19: the repository is not encrypted.
    NotEncrypted(bool),
    /// DQ: runs from the future.
    Clock(usize),
    /// The repository could not be looked at.
    Blind(bool, LookState, String, Option<Millis>),
}

/// A finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// How much it weighs.
    pub weight: Weight,
    /// Since when, where that makes sense.
    pub since: Option<Millis>,
    /// What it is.
    pub what: What,
}

impl Finding {
    /// The id of its definition and its name.
    pub fn id(&self) -> (&'static str, &'static str) {
        match &self.what {
            What::Never => ("B00", "never"),
            What::Missed(_) => ("B01", "missed"),
            What::FullOverdue(..) => ("B02", "full_overdue"),
            What::Failed(..) => ("B03", "failed"),
            What::Partial(_) => ("B04", "partial"),
            What::Stuck(_) => ("B05", "stuck"),
            What::Rpo(..) => ("B06", "rpo_breach"),
            What::Chain(..) => ("B07", "chain_broken"),
            What::OffsiteLag(..) => ("B08", "offsite_lag"),
            What::VerifyOverdue(..) => ("B09", "verification_overdue"),
            What::Corrupt(_) => ("B10", "corruption"),
            What::TestOverdue(..) => ("B11", "restore_test_overdue"),
            What::TestFailed(_) => ("B12", "restore_test_failed"),
            What::TestSlow(..) => ("B13", "restore_too_slow"),
            What::Odd(Odd::Shrank(..)) => ("B14", "source_shrank"),
            What::Odd(Odd::Surge(..)) => ("B15", "surge"),
            What::Odd(Odd::Entropy(..)) => ("B16", "entropy"),
            What::Ransom => ("B16", "ransomware_shape"),
            What::Copies(_) => ("B17", "copies"),
            What::TooFewFulls(..) | What::KeptTooShort(..) => ("B18", "retention"),
            What::NotEncrypted(_) => ("B19", "not_encrypted"),
            What::Clock(_) => ("DQ", "clock"),
            What::Blind(..) => ("DQ", "cannot_look"),
        }
    }
}
