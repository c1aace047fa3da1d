//! What the tab asks before it acts.

use std::sync::{Arc, Mutex, PoisonError};

use super::compare::{self, Seen};
use super::{TicketsTab, act_on};
use crate::action::Role;
use crate::clock::Millis;
use crate::config::Config;
use crate::console::tab::{Confirm, Effect, Field, Form, Pick, Preview};
use crate::locale::tickets as say;
use crate::tickets::actions::What;
use crate::tickets::model::{Doing, Happening, SCOPES, SEVERITIES, Ticket, clocks, level_of};
use crate::tickets::sla::Policy;
use crate::tickets::store::{Order, Similar};
use crate::tickets::view::{clock_text, order_word};
use crate::tickets::words::{level_word, link_word, local, scope_word};

pub(super) fn choices(all: &[&str], word: fn(&str) -> String) -> Vec<(String, String)> {
    all.iter().map(|v| ((*v).to_owned(), word(v))).collect()
}

/// What the clocks of a new ticket would be, reported at `start`.
pub(super) fn dues(config: &Config, policy: &Policy, level: &str, start: Millis, now: Millis) -> Vec<String> {
    let data = serde_json::json!({"level": level, "reported_at": start});
    let created = Happening { at: now, actor: String::new(), kind: "created".into(), data };
    let mut lines = due_lines(config, policy, &[created], level, now);
    if start > now {
        lines.push(say::reported_in_future());
    } else if now - start > config.tickets.backdate_limit.millis() {
        lines.push(say::needs_late_reason(&config.tickets.backdate_limit.to_string()));
    }
    lines
}

/// The due times that follow from `past` at `level`.
fn due_lines(config: &Config, policy: &Policy, past: &[Happening], level: &str, now: Millis) -> Vec<String> {
    let Ok(state) = clocks(policy, past, now) else { return vec![] };
    let at = |due: Option<Millis>| due.map_or_else(say::waits, |d| local(config, d));
    let mut lines = vec![say::preview_due(&level_word(level), &at(state.response.due), &at(state.resolution.due))];
    if state.born_late {
        lines.push(say::preview_late());
    }
    lines
}

impl TicketsTab {
    /// A form for the chosen tickets whose fields make the change.
    pub(super) fn ask(
        &self,
        title: String,
        fields: Vec<Field>,
        preview: Option<Preview>,
        make: impl Fn(&[String]) -> Result<What, String> + Send + 'static,
    ) -> Vec<Effect> {
        let chosen = self.chosen();
        if chosen.is_empty() {
            return vec![];
        }
        let title = format!("{title} {}", self.numbers());
        vec![Effect::Form(self.form(chosen, title, fields, preview, make))]
    }

    /// As [`TicketsTab::ask`], of these tickets. One of them alone is compared when somebody else was first.
    fn form(
        &self,
        chosen: Vec<(i64, Option<i64>)>,
        title: String,
        fields: Vec<Field>,
        preview: Option<Preview>,
        make: impl Fn(&[String]) -> Result<What, String> + Send + 'static,
    ) -> Form {
        let one = if let [(id, Some(_))] = chosen[..] { Some(id) } else { None };
        let before = one.and_then(|id| self.seen(id)).map(|seen| Arc::new(Mutex::new(seen)));
        let (held, now) = (before.clone(), move || chosen.clone());
        let submit = Box::new(move |values: &[String]| {
            let seen = held.as_ref().map(|h| h.lock().unwrap_or_else(PoisonError::into_inner));
            let chosen = seen.map_or_else(&now, |s| vec![(s.ticket.id, Some(s.ticket.version))]);
            Ok(act_on(chosen, &make(values)?))
        });
        let compare = before.map(|before| compare::compare(self.config.clone(), before));
        let about = one.map(|id| (id, Doing::Working.word()));
        Form { about, compare, ..Form::new(title, fields, submit).preview(preview) }
    }

    /// Ticket `id` as it is seen now.
    fn seen(&self, id: i64) -> Option<Seen> {
        let ticket = self.rows.iter().find(|t| t.id == id)?.clone();
        let known = self.detail.as_ref().filter(|(t, _)| (t.id, t.version) == (id, ticket.version));
        Some(Seen { known: known.map(|(_, past)| past.len()), ticket })
    }

    /// The numbers of the chosen tickets.
    fn numbers(&self) -> String {
        let chosen = self.chosen();
        let shown: Vec<String> = chosen.iter().take(6).map(|(id, _)| format!("#{id}")).collect();
        let more = chosen.len().saturating_sub(6);
        if more > 0 { format!("{} +{more}", shown.join(" ")) } else { shown.join(" ") }
    }

    pub(super) fn note_line(text: String) -> Option<Preview> {
        Some(Box::new(move |_, _| vec![text.clone()]))
    }

    pub(super) fn ask_note(&self) -> Vec<Effect> {
        let fields = vec![Field::long(say::field_internal(), "")];
        let what = |v: &[String]| Ok(What::Note(v[0].clone()));
        self.ask(say::form_note(), fields, Self::note_line(say::note_is_internal()), what)
    }

    /// Who reported the chosen tickets, where that is one and the same.
    fn reporter(&self) -> String {
        let rows = self.chosen_rows();
        match rows.split_first() {
            Some((first, others)) if others.iter().all(|t| t.reporter == first.reporter) => first.reporter.clone(),
            _ => String::new(),
        }
    }

    pub(super) fn ask_message(&self) -> Vec<Effect> {
        let from = self.reporter();
        let fields = vec![Field::text(say::field_from(), from), Field::long(say::field_body(), "")];
        let what = |v: &[String]| Ok(What::UserMessage { from: v[0].clone(), text: v[1].clone() });
        self.ask(say::key_message(), fields, Self::note_line(say::message_resumes()), what)
    }

    pub(super) fn ask_call(&self) -> Vec<Effect> {
        let with = self.reporter();
        let fields = vec![Field::text(say::field_with(), with)];
        self.ask(say::key_call(), fields, Self::note_line(say::call_stops()), |v| Ok(What::Call(v[0].clone())))
    }

    pub(super) fn ask_pause(&self) -> Vec<Effect> {
        let reasons = vec![
            ("waiting_user".to_owned(), say::waiting_user()),
            ("waiting_vendor".to_owned(), say::waiting_vendor()),
            ("approved_window".to_owned(), say::approved_window()),
        ];
        let fields = vec![
            Field::choice(say::field_reason(), "waiting_user", reasons),
            Field::time(say::field_follow_up(), "+4h", true),
            Field::long(say::field_note(), ""),
        ];
        let make = |v: &[String]| {
            let until = v[1].parse().map_err(|_| say::needs_follow_up())?;
            Ok(What::Pause { reason: v[0].clone(), until, note: v[2].clone() })
        };
        self.ask(say::key_pause(), fields, Self::note_line(say::pause_ends()), make)
    }

    /// Cause and solution, with what helped before; `#7` as the solution takes over that of ticket 7.
    pub(super) fn ask_resolve(&mut self) -> Vec<Effect> {
        let similar: Arc<Mutex<Vec<Similar>>> = Arc::default();
        let fields = vec![Field::text(say::field_cause(), ""), Field::long(say::field_solution(), "")];
        let shown = similar.clone();
        let preview: Preview = Box::new(move |_, _| {
            let found = shown.lock().unwrap_or_else(PoisonError::into_inner);
            let lines = found.iter().map(|s| say::solved_before(s.id, &s.title, &s.solution));
            let head = (!found.is_empty()).then(say::solved_similar);
            head.into_iter().chain(lines).collect()
        });
        let known = similar.clone();
        let make = move |v: &[String]| {
            let (mut cause, mut solution) = (v[0].clone(), v[1].clone());
            let found = known.lock().unwrap_or_else(PoisonError::into_inner);
            let named = solution.trim().strip_prefix('#').and_then(|n| n.parse::<i64>().ok());
            if let Some(like) = named.and_then(|id| found.iter().find(|s| s.id == id)) {
                solution = format!("{} (#{})", like.solution, like.id);
                if cause.trim().is_empty() {
                    cause.clone_from(&like.cause);
                }
            }
            Ok(What::Resolve { cause, solution })
        };
        let mut effects = self.ask(say::key_resolve(), fields, Some(preview), make);
        if !effects.is_empty() {
            self.similar = Some(similar);
            effects.push(Effect::Reload);
        }
        effects
    }

    pub(super) fn ask_level(&self) -> Vec<Effect> {
        let Some(t) = self.current() else { return vec![] };
        let fields = vec![
            Field::choice(say::field_scope(), &t.scope, choices(&SCOPES, scope_word)),
            Field::choice(say::field_severity(), &t.severity, choices(&SEVERITIES, level_word)),
            Field::long(say::field_reason(), ""),
        ];
        let (config, policy, start) = (self.config.clone(), self.policy.clone(), t.reported_at);
        let past = self.detail.as_ref().filter(|(whole, _)| whole.id == t.id).map(|(_, past)| past.clone());
        let preview: Preview = Box::new(move |v, now| {
            let level = level_of(&config.tickets, &v[0], &v[1]);
            let Some(mut past) = past.clone() else { return dues(&config, &policy, &level, start, now) };
            let was = clocks(&policy, &past, now).ok();
            let data = serde_json::json!({"level": level});
            past.push(Happening { at: now, actor: String::new(), kind: "level".into(), data });
            let mut lines = due_lines(&config, &policy, &past, &level, now);
            let is = clocks(&policy, &past, now).ok();
            // said before it is done: a raise can breach at once
            if let (Some(was), Some(is)) = (was, is) {
                let newly = (is.response.breached && !was.response.breached)
                    || (is.resolution.breached && !was.resolution.breached);
                lines.extend(newly.then(say::preview_breach));
            }
            lines
        });
        let make = |v: &[String]| Ok(What::Level { scope: v[0].clone(), severity: v[1].clone(), reason: v[2].clone() });
        self.ask(say::key_level(), fields, Some(preview), make)
    }

    pub(super) fn pick_owner(&self) -> Vec<Effect> {
        let chosen = self.chosen();
        let mut items: Vec<(String, String)> = self
            .lists
            .operators
            .iter()
            .filter(|(_, role)| *role >= Role::Operator)
            .map(|(name, role)| (name.clone(), format!("{name}  {}", role.word())))
            .collect();
        if items.is_empty() {
            items.push((self.me.clone(), self.me.clone()));
        }
        items.push((String::new(), say::to_nobody()));
        let then =
            Box::new(move |to: &str| act_on(chosen.clone(), &What::Assign((!to.is_empty()).then(|| to.to_owned()))));
        vec![Effect::Pick(Pick { title: format!("{} {}", say::key_assign(), self.numbers()), items, then })]
    }

    pub(super) fn pick_link(&self) -> Vec<Effect> {
        let chosen = self.chosen();
        let links = self.lists.links.clone();
        let items = links
            .iter()
            .enumerate()
            .map(|(i, l)| {
                let said = l.snapshot["said"].as_str().unwrap_or_default();
                (i.to_string(), format!("{}  {}  {said}", link_word(l.kind), l.subject))
            })
            .collect::<Vec<_>>();
        if items.is_empty() {
            return vec![Effect::Say(say::nothing_to_link())];
        }
        let then = Box::new(move |i: &str| {
            let Some(l) = i.parse::<usize>().ok().and_then(|i| links.get(i)) else { return vec![] };
            let (kind, subject) = (l.kind.to_owned(), l.subject.clone());
            act_on(chosen.clone(), &What::Link { kind, subject, snapshot: l.snapshot.clone() })
        });
        vec![Effect::Pick(Pick { title: format!("{} {}", say::key_link(), self.numbers()), items, then })]
    }

    pub(super) fn pick_order(&self) -> Vec<Effect> {
        let items = Order::ALL.iter().map(|o| (format!("{o:?}"), order_word(*o))).collect();
        // chosen through the tab's own command: a pick has no hand on its state
        let wanted = self.wanted_order.clone();
        let then = Box::new(move |value: &str| {
            let order = Order::ALL.into_iter().find(|o| format!("{o:?}") == value);
            *wanted.lock().unwrap_or_else(PoisonError::into_inner) = order;
            vec![Effect::Reload]
        });
        vec![Effect::Pick(Pick { title: say::key_order(), items, then })]
    }

    pub(super) fn ask_merge(&mut self) -> Vec<Effect> {
        let Some(into) = self.current().map(|t| t.id) else { return vec![] };
        let children: Vec<_> = self.chosen().into_iter().filter(|(id, _)| *id != into).collect();
        if children.is_empty() {
            return vec![Effect::Say(say::mark_two())];
        }
        let titled = |id: i64| {
            let title = self.rows.iter().find(|t| t.id == id).map(|t| t.title.clone()).unwrap_or_default();
            format!("#{id}  {title}")
        };
        let names: Vec<String> = children.iter().map(|(id, _)| format!("#{id}")).collect();
        let mut lines: Vec<String> = children.iter().take(8).map(|(id, _)| titled(*id)).collect();
        lines.push(format!("→ {}", titled(into)));
        lines.push(say::merge_means());
        let title = say::merge_question(&names.join(" "), into);
        let yes = act_on(children, &What::Merge(into));
        vec![Effect::Confirm(Confirm { title, lines, yes })]
    }

    pub(super) fn ask_excuse(&self, now: Millis) -> Vec<Effect> {
        let Some(t) = self.current() else { return vec![] };
        let breached: Vec<&str> = [
            ("response", t.response_is_breached(now) && !t.response_excused),
            ("resolution", t.resolution_is_breached(now) && !t.resolution_excused),
        ]
        .into_iter()
        .filter_map(|(clock, open)| open.then_some(clock))
        .collect();
        let Some(first) = breached.first() else { return vec![Effect::Say(say::nothing_to_excuse(t.id))] };
        let fields = vec![
            Field::choice(say::field_clock(), first, choices(&breached, crate::tickets::words::clock_word)),
            Field::long(say::field_reason(), ""),
        ];
        let chosen = vec![(t.id, Some(t.version))];
        let make = |v: &[String]| Ok(What::Excuse { clock: v[0].clone(), reason: v[1].clone() });
        let preview = Self::note_line(say::excuse_keeps());
        let title = format!("{} #{}", say::key_excuse(), t.id);
        vec![Effect::Form(self.form(chosen, title, fields, preview, make))]
    }

    /// What the wall and the clipboard say of a ticket's clock.
    pub(super) fn clock_of(&self, t: &Ticket, now: Millis) -> (String, crate::tui::theme::Role) {
        clock_text(&self.config, &self.policy, t, now, false)
    }
}
