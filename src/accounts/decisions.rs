//! What was decided about findings, and what has become of it. Pure.

use crate::clock::Millis;

/// A decision about a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The finding.
    pub finding: String,
    /// The system of the account; empty where the finding is about a person or the roster.
    pub system: String,
    /// The account.
    pub account: String,
    /// `freeze`, `keep`, `ask`
    pub decision: String,
    /// What is to be done in the directory: `freeze`, `remove_rights` (of an account that is disabled already), or nothing.
    pub instruction: String,
    /// Why.
    pub reason: String,
    /// Until when it holds: the review of a keep, the answer to an ask.
    pub until: Option<Millis>,
    /// Who decided.
    pub actor: String,
    /// When.
    pub at: Millis,
    /// When an import after it first showed that the instruction was carried out.
    pub done_at: Option<Millis>,
}

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing was decided.
    Open,
    /// To be done in the directory.
    Instructed,
    /// Done in the directory, as an import showed.
    Done,
    /// Done once, and found again: open.
    Recurred,
    /// Kept until its review.
    Kept,
    /// The review is due: open.
    ReviewDue,
    /// The owner was asked.
    Asked,
    /// The owner did not answer in time: open.
    NoAnswer,
}

impl State {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Instructed => "instructed",
            Self::Done => "done",
            Self::Recurred => "recurred",
            Self::Kept => "kept",
            Self::ReviewDue => "review_due",
            Self::Asked => "asked",
            Self::NoAnswer => "no_answer",
        }
    }

    /// Whether somebody has to decide.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Recurred | Self::ReviewDue | Self::NoAnswer)
    }
}

/// How a finding stands at `at`; `present`: the audit still finds it.
pub fn state(decision: Option<&Decision>, present: bool, at: Millis) -> State {
    let Some(d) = decision else { return State::Open };
    let over = d.until.is_some_and(|until| at >= until);
    match (d.decision.as_str(), d.done_at, over) {
        ("freeze", Some(_), _) if present => State::Recurred,
        ("freeze", Some(_), _) => State::Done,
        ("freeze", None, _) => State::Instructed,
        ("ask", _, true) => State::NoAnswer,
        ("ask", _, false) => State::Asked,
        (_, _, true) => State::ReviewDue,
        (_, _, false) => State::Kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(decision: &str, until: Option<Millis>, done_at: Option<Millis>) -> Decision {
        Decision {
            finding: "A01-1".into(),
            system: "oa".into(),
            account: "a".into(),
            decision: decision.into(),
            instruction: String::new(),
            reason: "r".into(),
            until,
            actor: "wang".into(),
            at: 10,
            done_at,
        }
    }

    #[test]
    fn a_decision_is_spent_when_its_time_is_over_or_the_finding_comes_back() {
        let at = |d: &Decision, present| state(Some(d), present, 100);
        assert_eq!(state(None, true, 100), State::Open);
        assert_eq!(at(&decided("freeze", None, None), true), State::Instructed);
        assert_eq!(at(&decided("freeze", None, Some(50)), false), State::Done);
        assert_eq!(at(&decided("freeze", None, Some(50)), true), State::Recurred);
        assert_eq!(at(&decided("keep", Some(101), None), true), State::Kept);
        assert_eq!(at(&decided("keep", Some(100), None), true), State::ReviewDue);
        assert_eq!(at(&decided("ask", Some(101), None), true), State::Asked);
        assert_eq!(at(&decided("ask", Some(100), None), true), State::NoAnswer);
        for (state, open) in
            [(State::Recurred, true), (State::ReviewDue, true), (State::Kept, false), (State::Done, false)]
        {
            assert_eq!(state.is_open(), open, "{}", state.word());
        }
    }
}
