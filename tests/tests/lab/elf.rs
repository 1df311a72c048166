//! The module as a file: what it exports, what it needs, and how it is loaded.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use mobileid_tests::{Artefacts, Lab};

fn tool(program: &str, arguments: &[&str]) -> Result<String> {
    let module = Artefacts::find()?.module()?;
    let said = Command::new(program)
        .args(arguments)
        .arg(module)
        .output()
        .with_context(|| format!("cannot run {program} (binutils)"))?;
    ensure!(said.status.success(), "{program}: {}", String::from_utf8_lossy(&said.stderr));
    Ok(String::from_utf8_lossy(&said.stdout).into_owned())
}

#[test]
fn exports_the_six_entry_points_and_nothing_else() -> Result<()> {
    let symbols = tool("nm", &["-D", "--defined-only", "--format=posix"])?;
    let found: BTreeSet<_> = symbols.lines().filter_map(|line| line.split(' ').next()).collect();
    let expected = BTreeSet::from([
        "pam_sm_acct_mgmt",
        "pam_sm_authenticate",
        "pam_sm_chauthtok",
        "pam_sm_close_session",
        "pam_sm_open_session",
        "pam_sm_setcred",
    ]);
    ensure!(found == expected, "{found:?}");
    Ok(())
}

#[test]
fn is_bound_at_load_time_and_read_only_after() -> Result<()> {
    let dynamic = tool("readelf", &["-dW"])?;
    // With static TLS a process that has used up its reserve could not load the module.
    ensure!(!dynamic.contains("STATIC_TLS"), "{dynamic}");
    ensure!(dynamic.contains("BIND_NOW") || dynamic.contains("Flags: NOW"), "{dynamic}");
    ensure!(
        !dynamic.contains("TEXTREL") && !dynamic.contains("RUNPATH") && !dynamic.contains("RPATH"),
        "{dynamic}"
    );
    let segments = tool("readelf", &["-lW"])?;
    ensure!(segments.contains("GNU_RELRO"), "{segments}");
    let stack = segments.lines().find(|line| line.contains("GNU_STACK")).context("GNU_STACK")?;
    ensure!(!stack.contains('E'), "an executable stack: {stack}");
    Ok(())
}

#[test]
fn needs_the_system_libraries_only() -> Result<()> {
    let dynamic = tool("readelf", &["-dW"])?;
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    for line in needed {
        let library = line.split(['[', ']']).nth(1).unwrap_or_default();
        let known =
            ["libpam.so.0", "libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"];
        ensure!(known.contains(&library), "a new dependency: {library}");
    }
    Ok(())
}

#[test]
fn loads_and_unloads_and_loads_again() -> Result<()> {
    let lab = Lab::new()?;
    let module = lab.bring(&lab.artefacts().module()?)?;
    let mut host = lab.host()?;
    host.args(["load", &module, "3"]);
    let said = lab.run(&mut host)?;
    let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    ensure!(said.status.success() && err.is_empty(), "{} {out}{err}", said.status);
    ensure!(out == "loaded threads=1\n".repeat(3), "{out}");
    Ok(())
}
