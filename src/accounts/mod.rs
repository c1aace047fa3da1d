//! Directory accounts, the HR roster, audits.
