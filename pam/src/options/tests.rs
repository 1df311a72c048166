use std::path::Path;

use super::*;

fn parse(arguments: &[&CStr]) -> Result<Options, String> {
    Options::parse(arguments).map_err(|bad| bad.to_string())
}

#[test]
fn what_is_understood() {
    for (arguments, config, debug) in [
        (&[][..], DEFAULT_PATH, false),
        (&[c"debug"], DEFAULT_PATH, true),
        (&[c"config=/etc/other.toml"], "/etc/other.toml", false),
        (&[c"debug", c"config=/etc/with blank.toml"], "/etc/with blank.toml", true),
        (&[c"config=/a=b"], "/a=b", false),
    ] {
        let options = parse(arguments).unwrap();
        assert_eq!((options.config.as_path(), options.debug), (Path::new(config), debug), "{arguments:?}");
    }
}

#[test]
fn what_is_refused_by_name() {
    for (arguments, why) in [
        (&[c"nonsense"][..], "'nonsense' is unknown"),
        (&[c""], "'' is unknown"),
        (&[c"Debug"], "'Debug' is unknown"),
        (&[c"debug=1"], "'debug=1' is unknown"),
        (&[c"debug", c"debug"], "'debug' is there twice"),
        (&[c"config"], "'config' is unknown"),
        (&[c"config="], "'config=' needs an absolute path"),
        (&[c"config=etc/mobileid.toml"], "needs an absolute path"),
        (&[c"config=/a", c"config=/b"], "'config=/b' is there twice"),
        (&[c"config=/a", c"config=/a"], "'config=/a' is there twice"),
        (&[c" config=/a"], "is unknown"),
        (&[c"nullok"], "is unknown"),
        (&[c"x\x1b[2J\xff"], "'x\\u{1b}[2J\u{fffd}' is unknown"),
    ] {
        let refused = parse(arguments).unwrap_err();
        assert!(refused.contains(why), "{arguments:?}: {refused}");
    }
}

#[test]
fn a_long_argument_does_not_flood_the_log() {
    let long = std::ffi::CString::new("x".repeat(100_000)).unwrap();
    assert!(parse(&[&long]).unwrap_err().len() < 400);
}

#[test]
fn the_way_to_panic_is_not_in_a_release() {
    assert_eq!(parse(&[c"panic"]).is_ok(), cfg!(feature = "test-panic"));
}

#[test]
fn the_manual_has_every_argument() {
    let page = include_str!("../../../packaging/man/pam_mobileid.8");
    let unknown = parse(&[c"nonsense"]).unwrap_err();
    let (_, arguments) = unknown.split_once("the arguments are ").unwrap();
    let arguments: Vec<&str> = arguments.split(" and ").collect();
    assert_eq!(arguments, ["config=/PATH", "debug"]);
    let (_, options) = page.split_once(".SH OPTIONS\n").unwrap();
    let (options, _) = options.split_once("\n.SH ").unwrap();
    let tags = options.split(".TP\n").skip(1).filter_map(|entry| entry.lines().next()?.split_once(' '));
    assert_eq!(tags.map(|(_, tag)| tag.replace(' ', "")).collect::<Vec<_>>(), arguments);
    assert!(page.contains(&format!(".IR {DEFAULT_PATH} ")), "the default is not in the manual");
}

#[test]
fn the_guide_quotes_lines_that_there_are() {
    let guide = include_str!("../../../docs/troubleshooting.md");
    let (_, section) = guide.split_once("\n## Other lines of the PAM module\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let first_cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let quoted = first_cells.flat_map(|(cell, _)| cell.split('`').skip(1).step_by(2));
    let said = [
        include_str!("../options.rs"),
        include_str!("../authenticate.rs"),
        include_str!("../person.rs"),
        include_str!("../system.rs"),
        include_str!("../../../src/driver/directories.rs"),
        include_str!("../../../src/memory.rs"),
    ];
    // No comments and no tests, which say nothing to anybody. A mistake begins with its file, as the argument names it.
    let code = said.map(|text| text.split_once("\nmod tests {").map_or(text, |(code, _)| code)).concat();
    let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let said = format!("{}\nmobileid.toml:", code.join("\n"));
    let mut count = 0;
    for line in quoted {
        assert!(said.contains(line), "nothing says: {line}");
        count += 1;
    }
    assert!(count >= 10, "{count}");
}
