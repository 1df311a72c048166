//! What holds for every page: it renders without a warning, and what it refers to is there.

use std::{
    fs,
    io::{self, Write as _},
    process::Command,
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
