//! What holds for every page: it renders without a warning, and what it refers to is there.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    process::Command,
};

use mobileid::{
    audit::AuditRecord,
    config::{DEFAULT_PATH, FileConfig},
    directory::file::UserTable,
    memory,
};

use super::{file, read};

/// The pages, by path.
fn pages() -> Vec<String> {
    let folder = fs::read_dir(file("packaging/man")).unwrap();
    let mut names: Vec<String> = folder.map(|entry| entry.unwrap().path().display().to_string()).collect();
    names.sort();
    assert!(names.len() >= 7, "{names:?}");
    names
}

/// Runs a checker over a page; None where this machine has no such program.
fn said(program: &str, arguments: &[&str], page: &str) -> Option<String> {
    let output = Command::new(program).args(arguments).arg(page).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn pages_render_without_a_warning() {
    for (program, arguments) in [
        ("groff", &["-man", "-Tutf8", "-ww", "-z", "-rLL=80n"] as &[&str]),
        ("mandoc", &["-T", "lint", "-W", "warning"]),
    ] {
        for page in pages() {
            match said(program, arguments, &page) {
                Some(said) => assert_eq!(said, "", "{program} on {page}"),
                // Past the harness, which shows what a test prints only where it fails.
                None => writeln!(io::stderr(), "LEFT OUT: {program} is not here to check {page}").unwrap(),
            }
        }
    }
}

#[test]
fn what_is_not_filled_fits_on_a_terminal() {
    for page in pages() {
        // A block is set off by eleven columns.
        let lines = blocks(&page).concat();
        let wide: Vec<&str> = lines.lines().filter(|line| line.chars().count() > 80 - 11).collect();
        assert!(wide.is_empty(), "{page}: {wide:#?}");
    }
}

#[test]
fn a_page_refers_to_pages_that_there_are() {
    let known = |name: &str| pages().iter().any(|page| page.ends_with(&format!("/{name}")));
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for line in text.lines().filter(|line| line.starts_with(".BR ")) {
            let mut words = line.split(' ').skip(1);
            let (Some(name), Some(section)) = (words.next(), words.next()) else { continue };
            let section = section.trim_matches(|c: char| !c.is_ascii_digit());
            let name = format!("{}.{section}", name.replace('\\', ""));
            if name.contains("mobileid") || name.starts_with("radiusd") {
                assert!(known(&name), "{page} refers to {name}");
            }
        }
    }
}

#[test]
fn what_is_to_be_typed_for_ssh_and_sudo_is_what_the_readme_says() {
    let readme = read("README.md");
    for recipe in ["docs/recipes/ssh.md", "docs/recipes/sudo.md"] {
        let text = read(recipe);
        let samples: Vec<&str> = text.split("```").skip(1).step_by(2).collect();
        assert!(!samples.is_empty(), "{recipe}");
        for sample in samples {
            assert!(readme.contains(&format!("```{sample}```")), "{recipe} and README.md differ: {sample}");
        }
    }
}

/// What a page has to be typed as it stands, block by block, as a reader sees it.
pub(super) fn blocks(page: &str) -> Vec<String> {
    let text = read(page);
    let blocks = text.split(".nf\n").skip(1).filter_map(|rest| Some(rest.split_once(".fi\n")?.0.to_owned()));
    blocks.map(|block| block.replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\")).collect()
}

#[test]
fn the_page_of_the_module_says_what_the_recipes_say() {
    let page = blocks("packaging/man/pam_mobileid.8");
    for recipe in ["docs/recipes/ssh.md", "docs/recipes/sudo.md"] {
        let text = read(recipe);
        for sample in text.split("```").skip(1).step_by(2) {
            let (_, sample) = sample.split_once('\n').unwrap();
            assert!(page.iter().any(|block| block == sample), "{recipe}: not in the manual: {sample}");
        }
    }
}

#[test]
fn the_examples_of_a_configuration_are_some() {
    let blocks = blocks("packaging/man/mobileid.toml.5");
    let begin =
        |words: &str| blocks.iter().filter(|block| block.starts_with(words)).cloned().collect::<Vec<_>>();
    let (whole, users, person) = (begin("[service]"), begin("[users]"), begin("[alice]"));
    assert_eq!((whole.len(), users.len(), person.len()), (1, 2, 1));
    let (service, _) = whole[0].split_once("[users]").unwrap();
    let locked_out = read("docs/locked-out.md");
    let (_, let_in) = locked_out.split_once("```toml\n").unwrap();
    let let_in = format!("{}{}", whole[0], let_in.split("```").next().unwrap());
    for text in users.iter().map(|users| format!("{service}{users}")).chain([whole[0].clone(), let_in]) {
        FileConfig::parse("the manual", &text).unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"));
    }
    UserTable::parse("the manual", &person[0]).unwrap();
}

#[test]
fn a_page_names_the_files_that_the_code_names() {
    let configuration = DEFAULT_PATH;
    for (page, paths) in [
        ("pam_mobileid.8", [configuration, memory::RUNTIME, memory::STATE]),
        ("mobileidctl.1", [configuration, memory::RUNTIME, memory::STATE]),
    ] {
        let text = read(&format!("packaging/man/{page}"));
        let (_, files) = text.split_once(".SH FILES\n").unwrap();
        let words: Vec<&str> = files.split([' ', '\n', '"']).collect();
        for path in paths {
            assert!(words.contains(&path), "{path} is not among the files of {page}");
        }
    }
}

#[test]
fn the_page_of_the_log_has_every_field() {
    let text = || Some("x".to_owned());
    let record = AuditRecord {
        time: "x".to_owned(),
        verdict: "denied",
        reason: "user-cancel",
        code: Some(401),
        user: "x".to_owned(),
        service: "x".to_owned(),
        host: "x".to_owned(),
        client: text(),
        target: text(),
        program: text(),
        rhost: text(),
        msisdn: text(),
        ap_trans_id: text(),
        mssp_trans_id: text(),
        profile: text(),
        serial: text(),
        first_use: true,
        ms: 1,
        detail: text(),
    };
    let line: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&record.line()).unwrap();
    let page = read("packaging/man/mobileid-log.5");
    let (fields, _) = page.split_once(".SH LINES").unwrap();
    let tags = fields.split("\n.TP\n").skip(1).filter_map(|entry| entry.lines().next());
    let names = tags.flat_map(|tag| tag.trim_start_matches(['.', 'B', 'R']).split([' ', '"', ',']));
    let told: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
    assert_eq!(told, line.keys().map(String::as_str).collect());
}
