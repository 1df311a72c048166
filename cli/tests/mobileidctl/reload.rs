//! A systemctl that is a script: what it says of a reload, and what we say then.

use std::fs;

use crate::support::{Folder, Run, binary};

fn reload(script: &str, arguments: &[&str]) -> Run {
    let folder = Folder::new();
    fs::create_dir(folder.path("bin")).unwrap();
    folder.write("bin/systemctl", format!("#!/bin/sh\n{script}\n"));
    folder.mode("bin/systemctl", 0o700);
    let path = std::env::join_paths(["bin", "/usr/bin", "/bin"].map(|name| folder.path(name))).unwrap();
    Run::of(binary().arg("reload").args(arguments).env("PATH", path).output().unwrap())
}

#[test]
fn a_reload_that_fails_is_told_in_one_line_with_the_place_of_the_mistake() {
    let script = "echo 'Job for x failed.' >&2; echo 'See \"systemctl status x\" for details.' >&2; exit 1";
    for (arguments, unit, name) in [
        (&[][..], "mobileid-radiusd.service", "mobileid-radiusd"),
        (&["--unit", "radius@eu.service"], "radius@eu.service", "radius@eu"),
    ] {
        let run = reload(script, arguments);
        let expected =
            format!("systemctl reload {unit}: Job for x failed; See \"systemctl status x\" for details; ");
        assert!(run.code == 2 && run.stderr.contains(&expected), "{run:?}");
        assert!(
            run.stderr.ends_with(&format!("; journalctl -u {name} -n 20 names the mistake\n")),
            "{run:?}"
        );
    }
}

#[test]
fn a_configuration_that_was_refused_is_no_success() {
    for (status, code) in [("ready", 0), ("the new configuration was refused: [listen]", 1)] {
        let run = reload(&format!("[ \"$1\" = reload ] || echo '{status}'"), &[]);
        let expected = format!("mobileid-radiusd.service: {status}\n");
        assert_eq!((run.code, run.stdout.as_str()), (code, expected.as_str()), "{run:?}");
    }
}
