use std::collections::BTreeMap;

use super::*;

/// Files by name.
#[derive(Default)]
pub(crate) struct Texts(BTreeMap<String, String>);

impl Texts {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }
}

impl Files for Texts {
    fn file(&self, name: &str) -> Result<Option<(String, String)>, String> {
        Ok(self.0.get(name).map(|text| (name.to_owned(), text.clone())))
    }
}

fn stack(files: &[(&str, &str)]) -> Stack {
    Stack::read(&Texts::of(files), "sshd").unwrap().unwrap()
}

fn modules(steps: &[Step]) -> Vec<String> {
    steps
        .iter()
        .flat_map(|step| match step {
            Step::Module(line) => {
                vec![format!("{} {}", line.module, line.arguments.join("|")).trim().to_owned()]
            }
            Step::Substack(inner) => vec![format!("({})", modules(inner).join(" "))],
        })
        .collect()
}

#[test]
fn lines_are_read_as_linux_pam_reads_them() {
    let text = "\
# a comment
AUTH\tRequired pam_a.so one [two words \\] three] # trailing
-auth optional /lib/pam_b.so
account required pam_no.so
auth [success=1 \\
  default=ignore] pam_c.so
auth include inner
auth substack inner
@include whole
";
    let stack =
        stack(&[("sshd", text), ("inner", "auth required pam_d.so"), ("whole", "auth required pam_e.so")]);
    let expected =
        ["pam_a.so one|two words ] three", "/lib/pam_b.so", "pam_c.so", "pam_d.so", "(pam_d.so)", "pam_e.so"];
    assert_eq!(modules(&stack.steps), expected);
    assert_eq!(stack.broken, []);
    assert_eq!(stack.included, ["inner", "inner", "whole"]);
    let Step::Module(third) = &stack.steps[2] else { panic!("{stack:?}") };
    assert_eq!(third.place, "sshd:5");
    assert_eq!(third.control.on("success"), Action::Jump(1));
    assert_eq!(third.control.on("auth_err"), Action::Ignore);
}

#[test]
fn control_values() {
    use Action::{Bad, Die, Done, Ignore, Jump, Ok, Reset};
    for (control, result, action) in [
        ("required", "success", Ok),
        ("required", "ignore", Ignore),
        ("required", "abort", Bad),
        ("requisite", "auth_err", Die),
        ("Sufficient", "success", Done),
        ("sufficient", "maxtries", Ignore),
        ("optional", "new_authtok_reqd", Ok),
        ("optional", "auth_err", Ignore),
        ("[success=2 default=die]", "success", Jump(2)),
        ("[success=2 default=die]", "abort", Die),
        ("[success=reset]", "success", Reset),
        ("[success=ok]", "abort", Bad),
    ] {
        assert_eq!(Control::parse(control).unwrap().on(result), action, "{control} {result}");
    }
    for bad in ["requird", "[success]", "[success=0]", "[success=maybe]", "[success=ok", "", "success=ok]"] {
        assert_eq!(Control::parse(bad), None, "{bad}");
    }
}

#[test]
fn what_pam_would_not_take_is_named_with_its_place() {
    for (text, place, what) in [
        ("auth required", "sshd:1", "no module"),
        ("\nauth requird pam_a.so", "sshd:2", "requird"),
        ("auht required pam_a.so", "sshd:1", "auht"),
        ("auth [success=1 pam_a.so", "sshd:1", "no module"),
        ("@include nowhere", "sshd:1", "nowhere"),
        ("auth substack nowhere", "sshd:1", "nowhere"),
    ] {
        let broken = stack(&[("sshd", text)]).broken;
        assert_eq!(broken[0].0, place, "{text}: {broken:?}");
        assert!(broken[0].1.contains(what), "{text}: {broken:?}");
    }
}

#[test]
fn files_that_include_one_another_end() {
    let once = stack(&[("sshd", "auth include sshd")]);
    assert!(once.broken[0].1.contains("include one another"), "{once:?}");
    // Twice each time would be 2^16 files.
    let twice = stack(&[("sshd", &"auth substack sshd\n".repeat(2))]);
    assert!(twice.broken.iter().any(|(_, why)| why.contains("lines")), "{:?}", twice.broken.len());
    let long = stack(&[("sshd", &"auth required pam_a.so\n".repeat(5_000))]);
    assert_eq!(long.steps.len(), LINES_MAX);
}

#[test]
fn no_text_makes_it_panic() {
    for text in [
        "[",
        "auth [",
        "auth [\\",
        "auth [a\\",
        "\\",
        "auth \u{e9} [\u{e9}]",
        "- - -",
        "@include",
        "auth include",
    ] {
        let _ = stack(&[("sshd", text)]);
    }
}
