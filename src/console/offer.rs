//! What a form offers to be chosen, found while a field is typed: asked for once the fingers rest, and an answer to a
//! text that stands there no longer is dropped.

use std::sync::Arc;

use super::tab::{Found, Offer, Pick};
use crate::action::Door;
use crate::clock::Millis;

/// How long a text stands unchanged before it is looked for.
pub(super) const PAUSE: Millis = 300;

/// A question for outside the UI task.
pub(super) type Ask = Box<dyn FnOnce(Door) -> Found + Send>;

/// An [`Offer`] of a form, and how far the search for it is.
pub(super) struct Offering {
    offer: Offer,
    /// What was typed when it was last looked at.
    text: String,
    /// When that changed; none once it was asked for.
    since: Option<Millis>,
    /// Number of the question whose answer is waited for.
    asked: u64,
}

impl Offering {
    pub(super) fn new(offer: Offer) -> Self {
        Self { offer, text: String::new(), since: None, asked: 0 }
    }

    /// What its key does.
    pub(super) fn hint(&self) -> &str {
        &self.offer.hint
    }

    /// The field below which what is found stands, and how many lines are kept free there.
    pub(super) fn below(&self) -> Option<(usize, u16)> {
        self.offer.search.as_ref().map(|s| (s.field, s.lines))
    }

    /// The lines that stand there, and whether they are what was found.
    pub(super) fn lines(&self) -> (Vec<&str>, bool) {
        let Some(search) = &self.offer.search else { return (vec![], false) };
        let found = self.offer.items.iter().take(search.lines.into()).map(|(_, shown)| shown.as_str());
        if self.offer.items.is_empty() { (vec![search.empty.as_str()], false) } else { (found.collect(), true) }
    }

    /// Looks at what the fields hold.
    pub(super) fn heed<'a>(&mut self, mut values: impl Iterator<Item = &'a str>, now: Millis) {
        let Some(search) = &self.offer.search else { return };
        let text = values.nth(search.field).unwrap_or_default().trim();
        if text == self.text {
            return;
        }
        text.clone_into(&mut self.text);
        // whatever is still being looked for is not what stands there now
        self.asked = 0;
        self.since = Some(now);
        if text.is_empty() {
            self.offer.items.clear();
            self.since = None;
        }
    }

    /// When the next question is due, `pause` after the last change.
    pub(super) fn due(&self, pause: Millis) -> Option<Millis> {
        self.since.map(|at| at + pause)
    }

    /// The question that is due, under the number that its answer has to bear.
    pub(super) fn ask(&mut self, number: u64) -> Option<Ask> {
        let (find, text) = (self.offer.search.as_ref()?.find.clone(), self.text.clone());
        self.since = None;
        self.asked = number;
        Some(Box::new(move |door| find(door, text)))
    }

    /// Takes the answer to question `number`; whether it was still wanted.
    pub(super) fn found(&mut self, number: u64, items: Vec<(String, String)>) -> bool {
        let wanted = self.asked == number;
        if wanted {
            self.asked = 0;
            self.offer.items = items;
        }
        wanted
    }

    /// The list to choose from, given what the fields hold; none when there is nothing.
    pub(super) fn pick(&self, values: Vec<String>) -> Option<Pick> {
        if self.offer.items.is_empty() {
            return None;
        }
        let then = Arc::clone(&self.offer.then);
        let then = Box::new(move |value: &str| then(value, &values));
        Some(Pick { title: self.offer.title.clone(), items: self.offer.items.clone(), then })
    }
}
