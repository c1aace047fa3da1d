//! The tabs, in the order of their numbers.

use std::sync::Arc;

use super::tab::Tab;
use crate::config::Config;

/// Every tab.
pub fn all(config: &Arc<Config>, me: &str) -> Vec<Box<dyn Tab>> {
    vec![
        Box::new(crate::health::tab::HealthTab::new(config.clone())),
        Box::new(crate::tickets::tab::TicketsTab::new(config.clone(), me, Some(super::evidence::AROUND))),
        Box::new(crate::workflows::tab::WorkflowsTab::new(config.clone())),
        Box::new(crate::accounts::tab::AccountsTab::new(config.clone())),
        Box::new(crate::backups::tab::BackupsTab::new(config.clone())),
    ]
}
