//! What is allowed and worth a second look is told, and nothing else is.

use crate::fixture::fixtures;

/// The first lines of a valid file may tell what is warned of, `# warns KEY | words`, where `&` joins words that
/// belong together, and of what nothing may be said, `# silent KEY`.
#[test]
fn files_are_warned_of_what_their_first_lines_tell() {
    let (mut told, mut silent) = (0, 0);
    for fixture in fixtures("valid", 21) {
        let name = &fixture.name;
        let exit = fixture.run(&["check"], &[]);
        let output = exit.stdout + &exit.stderr;
        let warnings = output
            .lines()
            .filter_map(|line| line.strip_prefix("warning: "));
        let warnings: Vec<String> = warnings.map(str::to_lowercase).collect();
        let comments = fixture.text.lines().map_while(|l| l.strip_prefix("# "));
        for comment in comments.map(str::to_lowercase) {
            if let Some(wanted) = comment.strip_prefix("warns ") {
                let (key, words) = wanted.split_once(" | ").unwrap();
                let tells = |line: &&String| {
                    line.starts_with(key) && words.split(" & ").all(|word| line.contains(word))
                };
                let found = warnings.iter().filter(tells).count();
                assert_eq!(found, 1, "{name}: {wanted}: {output}");
                told += 1;
            } else if let Some(key) = comment.strip_prefix("silent ") {
                let said = warnings.iter().find(|line| line.starts_with(key));
                assert_eq!(said, None, "{name}");
                silent += 1;
            }
        }
    }
    assert!(told >= 25, "the table is thinner than it was: {told}");
    assert!(silent >= 10, "the table is thinner than it was: {silent}");
}
