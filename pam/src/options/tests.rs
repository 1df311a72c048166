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
