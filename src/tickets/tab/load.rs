//! What the tab reads: the rows around the cursor, counts, the ticket under it; now and then what lists offer.

use std::sync::{Arc, Mutex, PoisonError};

use super::TicketsTab;
use super::help::{Answers, ArticleForm, Articles};
use super::troubles::{FindTroubles, Troubles};
use crate::action::{Door, Role};
use crate::clock::{MINUTE, Millis};
use crate::console::tab::{Effect, Load, Pick, Snapshot};
use crate::locale::tickets as say;
use crate::store::{Store, StoreError};
use crate::text::filter::{Filter, parse};
use crate::tickets::handling::{Outlook, Typical};
use crate::tickets::model::{Happening, Ticket};
use crate::tickets::sla::Policy;
use crate::tickets::store::{self, Among, Cursor, Order, Queue};
use crate::tui::paint::bytes;

/// Tickets held before the cursor, and after it.
const HALF: i64 = 200;
/// The same for the first picture: no screen shows more.
const FIRST_HALF: i64 = 100;
/// So close to an end of what is held, more is asked for.
pub(super) const MARGIN: usize = 80;
/// So many of what is late or soon will be are held beside the open queue.
const MOST_AT_RISK: i64 = 50;
/// How long names of operators and of things to link are good.
const OFFERS: Millis = MINUTE;

/// The ticket under the cursor, whole, with what happened to it.
pub(in crate::tickets) type Detail = (Ticket, Vec<Happening>);

/// Something that can be linked to a ticket, as it is now.
#[derive(Debug, Clone)]
pub struct Linkable {
    /// `host`, `workflow` or `backup`.
    pub kind: &'static str,
    /// Its name.
    pub subject: String,
    /// How it is: kept with the ticket.
    pub snapshot: serde_json::Value,
}

/// Finds what can be linked, newest state.
pub type Evidence = fn(Door) -> crate::action::BoxFuture<'static, Vec<Linkable>>;

/// A file that came with a ticket; its name and type are the sender's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its MIME type.
    pub mime: String,
    /// How much it holds.
    pub bytes: i64,
}

/// The files that came with a ticket.
pub type Files = fn(Door, i64) -> crate::action::BoxFuture<'static, Vec<File>>;
/// Saves a file on this machine.
pub type SaveFile = fn(Door, File) -> crate::action::BoxFuture<'static, Result<String, String>>;
/// How many people are on duty.
pub type Hands = fn(Door) -> crate::action::BoxFuture<'static, usize>;

/// What other rooms tell this one, through the face that knows them all.
#[derive(Debug, Clone, Copy)]
pub struct Around {
    /// What can be linked to a ticket.
    pub evidence: Evidence,
    /// How many people are on duty.
    pub hands: Hands,
    /// Articles that may answer a ticket.
    pub articles: Articles,
    /// Says that an article did.
    pub answers: Answers,
    /// Makes an article of a solved ticket.
    pub article: ArticleForm,
    /// What is wrong with the desk itself.
    pub troubles: FindTroubles,
    /// The files that came with a ticket.
    pub files: Files,
    /// Saves one of them; says where.
    pub save: SaveFile,
}

/// A file in a line.
pub(in crate::tickets) fn file_line(f: &File) -> String {
    let size = bytes(u64::try_from(f.bytes).unwrap_or(0));
    format!("{}  {size}  {}", crate::text::clean(&f.name), crate::text::clean(&f.mime))
}

/// What lists offer.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    pub(super) operators: Vec<(String, Role)>,
    pub(super) links: Vec<Linkable>,
}

/// Similar solved tickets, for the form that is open: filled in when they are found.
pub(super) type Similar = Arc<Mutex<Vec<store::Similar>>>;

pub(super) struct Page {
    /// Nothing: the rows held are still good, only the detail was asked for.
    rows: Option<Rows>,
    detail: Option<Detail>,
    files: Vec<File>,
    troubles: Option<Troubles>,
    policy: Arc<Policy>,
    role: Role,
    lists: Option<Lists>,
    query: (usize, Order, String),
}

struct Rows {
    around: Vec<Ticket>,
    counts: [i64; 5],
    saved_counts: Vec<(i64, bool)>,
    capped: bool,
    typical: Vec<Typical>,
    outlook: Outlook,
    at_risk: Vec<Ticket>,
    /// Whether the first row is the first of the queue, and the last the last.
    whole: (bool, bool),
    jump: Option<Jump>,
}

/// An end of the queue that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Jump {
    Top,
    Bottom,
}

/// Whether there may be more rows than these.
fn full(rows: &[Ticket], limit: i64) -> bool {
    rows.len() as i64 >= limit
}

/// The rows of a queue around `at`.
async fn rows_around(
    s: &Store,
    queue: (Queue, Order),
    me: &str,
    now: Millis,
    at: Option<(Millis, i64)>,
    jump: Option<Jump>,
    half: i64,
) -> Result<(Vec<Ticket>, (bool, bool)), StoreError> {
    let get = |cursor, limit| store::page_in(s, queue, me, now, cursor, limit);
    match (jump, at) {
        (Some(Jump::Bottom), _) => {
            let rows = get(Cursor::End, 2 * half).await?;
            let first = !full(&rows, 2 * half);
            Ok((rows, (first, true)))
        }
        (None, Some((urgency, id))) => {
            let mut rows = get(Cursor::Before(urgency, id), half).await?;
            let after = get(Cursor::From(urgency, id), half).await?;
            let whole = (!full(&rows, half), !full(&after, half));
            rows.extend(after);
            Ok((rows, whole))
        }
        _ => {
            let rows = get(Cursor::Start, 2 * half).await?;
            let last = !full(&rows, 2 * half);
            Ok((rows, (true, last)))
        }
    }
}

/// How long tickets take, and which of those ahead cannot all be done by who is on duty.
async fn look_ahead(door: &Door, hands: Option<usize>, now: Millis) -> Result<(Vec<Typical>, Outlook), StoreError> {
    let typical = store::typical(door.store()).await?;
    let outlook = match hands {
        Some(hands) => store::outlook(door.store(), &door.config().tickets, &typical, hands, now).await?,
        None => Outlook::default(),
    };
    Ok((typical, outlook))
}

impl TicketsTab {
    /// The files of the ticket under the cursor.
    pub(in crate::tickets) fn files_here(&self) -> &[File] {
        if self.current().is_some_and(|t| t.id == self.files.0) { &self.files.1 } else { &[] }
    }

    /// Saves a file of the ticket under the cursor: the one, or one of several.
    pub(super) fn save_file(&self) -> Vec<Effect> {
        let (files, Some(save)) = (self.files_here().to_vec(), self.around.map(|a| a.save)) else { return vec![] };
        let errand = move |file: &File| {
            let file = file.clone();
            vec![Effect::Errand(Box::new(move |door| save(door, file)))]
        };
        if let [one] = files.as_slice() {
            return errand(one);
        }
        let items = files.iter().enumerate().map(|(i, f)| (i.to_string(), file_line(f))).collect();
        let then =
            Box::new(move |i: &str| i.parse().ok().and_then(|i: usize| files.get(i)).map(&errand).unwrap_or_default());
        vec![Effect::Pick(Pick { title: say::files(), items, then })]
    }

    /// Takes over what pickers and actions have left for the next load.
    fn heed(&mut self) {
        let order = self.wanted_order.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(order) = order.filter(|o| *o != self.order) {
            self.order = order;
            self.search.clear();
            self.saved = None;
            self.place.start_over();
            self.jump = Some(Jump::Top);
            self.stale = true;
        }
        let pulled = self.pulled.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(id) = pulled {
            self.queue = Queue::ORDER.iter().position(|q| *q == Queue::Mine).unwrap_or(self.queue);
            self.search.clear();
            self.saved = None;
            self.go_to = Some(id);
            self.full = true;
            self.scroll.set(0);
            self.stale = true;
        }
    }

    pub(super) fn make_load(&mut self, now: Millis) -> Load {
        self.heed();
        let go_to = self.go_to;
        let (queue, order, search, me) = (self.queue, self.order, self.search.clone(), self.me.clone());
        let saved: Vec<Filter> =
            self.config.tickets.queues.iter().map(|q| parse(&q.filter).unwrap_or_default()).collect();
        let current = self.current().map(|t| t.id);
        let acted = self.acted.filter(|id| current == Some(*id));
        let only_detail = !std::mem::take(&mut self.stale);
        let jump = self.jump;
        let similar = self.similar.take();
        // the first picture waits for nothing that it can do without; the rest is read at once after it
        let first = !self.loaded;
        let half = if first { FIRST_HALF } else { HALF };
        let lists = (self.loaded && !only_detail && now - self.listed_at >= OFFERS).then_some(self.around);
        let held = only_detail.then(|| self.policy.clone());
        // near the start the start is kept in sight; elsewhere the rows are those around the cursor
        let near_start = self.whole.0 && self.place.at < MARGIN;
        let at = self.current().filter(|_| !near_start).map(|t| order.place(t));
        let around = self.around;
        // who is on duty changes at a hand-over, not with every ticket
        let known = self.hands.filter(|(at, _)| (0..OFFERS).contains(&(now - at))).map(|(_, hands)| hands);
        let ask = around.filter(|_| !first).map(|a| a.hands);
        let watch = around.filter(|_| !first && !only_detail && self.watch.is_old(now));
        Box::new(move |door| {
            Box::pin(async move {
                let s = door.store();
                let text = |e: StoreError| e.to_string();
                let (mut at, mut current) = (at, current);
                if let Some(id) = go_to
                    && let Some(t) = store::get(s, id).await.map_err(text)?
                {
                    (at, current) = (Some(order.place(&t)), Some(id));
                }
                let rows = if only_detail {
                    None
                } else {
                    let mut capped = false;
                    let (rows, whole) = if search.is_empty() {
                        rows_around(s, (Queue::ORDER[queue], order), &me, now, at, jump, half).await.map_err(text)?
                    } else {
                        let filter = parse(&search).map_err(|e| e.to_string())?;
                        let found = store::filtered(s, &filter, &me, now, HALF).await.map_err(text)?;
                        capped = found.capped || full(&found.tickets, HALF);
                        (found.tickets, (true, true))
                    };
                    let counts = store::counts(s, &me, now).await.map_err(text)?;
                    let mut saved_counts = Vec::with_capacity(saved.len());
                    for filter in &saved {
                        saved_counts.push(store::count_filtered(s, filter, &me, now).await.map_err(text)?);
                    }
                    let hands = match (known, ask) {
                        (None, Some(ask)) => Some(ask(door.clone()).await),
                        (known, _) => known,
                    };
                    let (typical, outlook) = if first {
                        (vec![], Outlook::default())
                    } else {
                        look_ahead(&door, hands, now).await.map_err(text)?
                    };
                    // a search and most queues show only a part of it
                    let at_risk = if first {
                        vec![]
                    } else {
                        let most = (Queue::Breaching, Order::default());
                        store::page_in(s, most, &me, now, Cursor::Start, MOST_AT_RISK).await.map_err(text)?
                    };
                    Some(Rows { around: rows, at_risk, counts, saved_counts, capped, typical, outlook, whole, jump })
                };
                let id = match &rows {
                    None => current,
                    Some(Rows { around, jump: Some(Jump::Bottom), .. }) => around.last().map(|t| t.id),
                    Some(Rows { around, jump, .. }) => current
                        .filter(|id| jump.is_none() && (acted == Some(*id) || around.iter().any(|t| t.id == *id)))
                        .or(around.first().map(|t| t.id)),
                };
                let detail = match id {
                    Some(id) => store::get_with_past(s, id).await.map_err(text)?,
                    None => None,
                };
                let files = match (&detail, around) {
                    (Some((t, _)), Some(around)) => (around.files)(door.clone(), t.id).await,
                    _ => vec![],
                };
                let troubles = match watch {
                    Some(around) => Some((around.troubles)(door.clone()).await?),
                    None => None,
                };
                if let (Some(found), Some((t, _))) = (similar, &detail) {
                    // nothing found is as good as a search that failed: the form works without
                    let solved = store::similar(s, &t.title, Among::Solved, Some(t.id), 5).await.unwrap_or_default();
                    *found.lock().unwrap_or_else(PoisonError::into_inner) = solved;
                }
                let policy = match held {
                    Some(policy) => policy,
                    None => store::policy(s, &door.config().tickets).await.map_err(text)?,
                };
                let lists = match lists {
                    Some(around) => {
                        let operators = crate::action::operators::list(s).await.map_err(text)?;
                        let links = match around {
                            Some(around) => (around.evidence)(door.clone()).await,
                            None => vec![],
                        };
                        let operators = operators.into_iter().map(|o| (o.name, o.role)).collect();
                        Some(Lists { operators, links })
                    }
                    None => None,
                };
                let actor = door.actor();
                let role = if actor.unclaimed { Role::Admin } else { actor.role };
                Ok(Box::new(Page { rows, detail, files, troubles, policy, role, lists, query: (queue, order, search) })
                    as Snapshot)
            })
        })
    }

    pub(super) fn take(&mut self, page: Page, now: Millis) {
        self.sketched = !self.loaded;
        self.loaded = true;
        self.policy = page.policy;
        self.role = page.role;
        self.missing_list = self.policy.calendars.get("office").and_then(|c| c.missing_year(now));
        if let Some(lists) = page.lists {
            self.lists = lists;
            self.listed_at = now;
        }
        if let Some(troubles) = page.troubles {
            self.watch.take(troubles, now);
        }
        // an answer to a question that is no longer asked
        if page.query != (self.queue, self.order, self.search.clone()) {
            return;
        }
        self.files = (page.detail.as_ref().map_or(0, |(t, _)| t.id), page.files);
        self.detail = page.detail;
        let Some(mut fresh) = page.rows else { return };
        if let Some((t, _)) = self.detail.as_ref().filter(|(t, _)| self.acted == Some(t.id) && fresh.jump.is_none())
            && self.current().is_some_and(|c| c.id == t.id)
            && fresh.around.iter().all(|f| f.id != t.id)
        {
            let mut after = self.rows.iter().skip(self.place.at + 1);
            let next = after.find_map(|n| fresh.around.iter().position(|f| f.id == n.id));
            fresh.around.insert(next.unwrap_or(fresh.around.len()), t.clone());
        }
        // the order is held where the rows begin with the first; elsewhere they are cut anew around the cursor
        let from_the_first = self.whole.0 && fresh.whole.0 && fresh.jump.is_none() && self.go_to.is_none();
        if from_the_first {
            self.rows = self.place.take(fresh.around, |t| t.id, now);
        } else {
            self.rows = fresh.around;
            self.place.put(self.rows.iter().map(|t| t.id));
        }
        self.counts = fresh.counts;
        self.saved_counts = fresh.saved_counts;
        self.capped = fresh.capped;
        self.typical = fresh.typical;
        if fresh.outlook.hands > 0
            && self.hands.is_none_or(|(at, hands)| hands != fresh.outlook.hands || !(0..OFFERS).contains(&(now - at)))
        {
            self.hands = Some((now, fresh.outlook.hands));
        }
        self.outlook = fresh.outlook;
        self.at_risk = fresh.at_risk;
        self.whole = fresh.whole;
        match fresh.jump {
            Some(Jump::Bottom) => self.place.at = self.rows.len().saturating_sub(1),
            Some(Jump::Top) => self.place.at = 0,
            None => {}
        }
        if self.jump == fresh.jump {
            self.jump = None;
        }
        if let Some(at) = self.go_to.and_then(|id| self.rows.iter().position(|t| t.id == id)) {
            self.place.at = at;
            self.go_to = None;
        }
    }
}
