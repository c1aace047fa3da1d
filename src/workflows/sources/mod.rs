//! Where event logs come from: XES and CSV files.

mod csv;
mod xes;

use std::io::{BufReader, Read};
use std::path::Path;

use super::model::Log;

pub use csv::Columns;

/// Reads an event log; the kind is told by the file's name (`.xes`, `.xes.gz`, else CSV).
///
/// # Errors
/// A sentence naming file and line.
pub fn read(path: &Path, columns: &Columns) -> Result<Log, String> {
    let shown = path.display();
    let file = std::fs::File::open(path).map_err(|e| format!("{shown}: {e}"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let plain: Box<dyn Read> = if Path::new(&name).extension().is_some_and(|e| e == "gz") {
        Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file)))
    } else {
        Box::new(file)
    };
    let stem = name.trim_end_matches(".gz");
    let mut log = if [".xes", ".xml"].iter().any(|end| stem.ends_with(end)) {
        xes::read(BufReader::with_capacity(1 << 16, plain))
    } else {
        csv::read(plain, columns)
    }
    .map_err(|e| format!("{shown}: {e}"))?;
    if log.cases.is_empty() {
        return Err(format!("{shown}: no event in it"));
    }
    log.sort();
    Ok(log)
}
