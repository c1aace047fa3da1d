//! The shape of the house: an import goes down or sideways within a feature, never up.

use std::fs;
use std::path::{Path, PathBuf};

const FACES: [&str; 3] = ["cli", "console", "serve"];
const FEATURES: [&str; 9] =
    ["health", "tickets", "workflows", "accounts", "backups", "intake", "oncall", "knowledge", "demo"];

/// 0 ground, 1 features, 2 faces.
fn floor(room: &str) -> u8 {
    if FACES.contains(&room) { 2 } else { u8::from(FEATURES.contains(&room)) }
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("folder").map(|e| e.expect("entry").path()) {
        if entry.is_dir() {
            sources(&entry, out);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            out.push(entry);
        }
    }
}

/// The rooms that a line imports from: `use crate::tickets::actions` → `tickets`, `actions`.
fn imports(line: &str) -> Option<(&str, &str)> {
    let rest = line.trim().strip_prefix("pub ").unwrap_or(line.trim()).strip_prefix("use crate::")?;
    let mut parts = rest.split([':', ';', '{', ',', '}']).map(str::trim).filter(|p| !p.is_empty());
    Some((parts.next()?, parts.next().unwrap_or_default()))
}

#[test]
fn imports_never_go_up() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 30, "the sources are where they are expected");
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        let room = inside.split(['/', '.']).next().unwrap_or_default().to_owned();
        if ["main", "lib"].contains(&room.as_str()) {
            continue;
        }
        let name = Path::new(&inside).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for (i, line) in fs::read_to_string(&file).expect("source").lines().enumerate() {
            let Some((to, part)) = imports(line) else { continue };
            // the Tab trait is the one thing of the console that the features know: it is the socket they plug into
            let socket = to == "console" && part == "tab" && ["tab", "view"].iter().any(|n| inside.contains(n));
            let up = floor(to) > floor(&room) && !socket;
            // one feature reaches another through its actions and model only
            let across = floor(&room) == 1
                && floor(to) == 1
                && to != room
                && room != "demo"
                && !["actions", "model"].contains(&part);
            let pure = ["model", "view"].contains(&name.as_str()) && ["store", "journal"].contains(&to);
            if up || across || pure {
                wrong.push(format!("src/{inside}:{}: {}", i + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the plan of the house:\n{}", wrong.join("\n"));
}
