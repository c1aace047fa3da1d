//! Copying through the terminal, over SSH too.

use base64::Engine as _;

/// The OSC 52 sequence that puts `text` on the clipboard, wrapped for tmux where `tmux` says so.
pub fn copy(text: &str, tmux: bool) -> String {
    let sequence = format!("\x1b]52;c;{}\x07", base64::engine::general_purpose::STANDARD.encode(text));
    if tmux { format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")) } else { sequence }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_copied_travels_encoded() {
        assert_eq!(super::copy("#7 审批", false), "\x1b]52;c;Izcg5a6h5om5\x07");
        assert!(super::copy("a\x1b]52", true).starts_with("\x1bPtmux;\x1b\x1b]52;c;"));
    }
}
