//! What the README shows is what there is.

use std::fs;
use std::path::Path;

#[test]
fn the_table_of_keys_is_that_of_the_program() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let table = casework::tui::action::markdown();
    assert!(readme.contains(&table), "put this into the README:\n{table}");
}
