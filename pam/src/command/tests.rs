use super::*;

/// Words as they are typed, separated by blanks.
fn words(line: &str) -> Words {
    Words { words: line.split(' ').map(str::to_owned).collect(), is_cut: false }
}

fn parsed(line: &str) -> Option<(String, String, String)> {
    let Asked { target, command: Command { program, line } } = parse(&words(line), Some("alice"))?;
    Some((target, program, line))
}

/// Each row: what is typed, the target, the program, the line.
#[test]
fn what_sudo_was_asked() {
    for (typed, target, program, line) in [
        // The command, and nothing of it is an option of sudo.
        ("sudo id", "root", "id", "id"),
        ("/usr/bin/sudo id -u bob", "root", "id", "id -u bob"),
        ("sudo systemctl restart nginx", "root", "systemctl", "systemctl restart nginx"),
        ("sudo sh -c id;reboot", "root", "sh", "sh -c id;reboot"),
        ("sudo - x", "root", "-", "- x"),
        ("sudo /a=b x", "root", "/a=b", "/a=b x"),
        ("sudo id -- x", "root", "id", "id -- x"),
        ("sudo  x", "root", "", " x"),
        // As whom.
        ("sudo -u bob id", "bob", "id", "id"),
        ("sudo -ubob id", "bob", "id", "id"),
        ("sudo -nu bob id", "bob", "id", "id"),
        ("sudo -nubob id", "bob", "id", "id"),
        ("sudo -unu id", "nu", "id", "id"),
        ("sudo --user bob id", "bob", "id", "id"),
        ("sudo --user=bob id", "bob", "id", "id"),
        ("sudo --us bob id", "bob", "id", "id"),
        ("sudo --u=bob id", "bob", "id", "id"),
        ("sudo -u bob -u carol id", "carol", "id", "id"),
        ("sudo -u#1000 id", "#1000", "id", "id"),
        ("sudo -u -- id", "--", "id", "id"),
        ("sudo -u -n id", "-n", "id", "id"),
        ("sudo -u bob -g adm id", "bob", "id", "id"),
        ("sudo -g adm id", "alice", "id", "id"),
        ("sudo --group=adm id", "alice", "id", "id"),
        // Options that have an argument, which is not the command.
        ("sudo -p bob id", "root", "id", "id"),
        ("sudo -pbob id", "root", "id", "id"),
        ("sudo -C 3 -D /tmp -r r -t t -T 5 -U carol id", "root", "id", "id"),
        ("sudo --close-from 3 --chdir /tmp --role r --type=t id", "root", "id", "id"),
        ("sudo --command-timeout 5 --other-user carol --prompt=x --host web1 id", "root", "id", "id"),
        ("sudo -h web1 id", "root", "id", "id"),
        ("sudo -hweb1 id", "root", "id", "id"),
        // Options that have none.
        ("sudo -AbBEHknNPS id", "root", "id", "id"),
        ("sudo -A -b -E -H -k -n -P -S id", "root", "id", "id"),
        ("sudo --askpass --background --bell --set-home --reset-timestamp id", "root", "id", "id"),
        ("sudo --non-interactive --no-update --preserve-groups --stdin id", "root", "id", "id"),
        ("sudo --preserve-env id", "root", "id", "id"),
        ("sudo --preserve-env=A,B id", "root", "id", "id"),
        ("sudo -E A id", "root", "A", "A id"),
        // The end of the options, and assignments.
        ("sudo -- id", "root", "id", "id"),
        ("sudo -n -- -u bob", "root", "-u", "-u bob"),
        ("sudo A=1 id", "root", "id", "A=1 id"),
        ("sudo A=1 B_2= -u bob C=3 id D=4", "bob", "id", "A=1 B_2= C=3 id D=4"),
        ("sudo -- A=1 id", "root", "A=1", "A=1 id"),
        ("sudo A=1 -- id", "root", "id", "A=1 id"),
        // Not a command by itself.
        ("sudo -s", "root", "sudo -s", "sudo -s"),
        ("sudo --shell id -u", "root", "sudo -s", "sudo -s id -u"),
        ("sudo", "root", "sudo -s", "sudo -s"),
        ("sudo -u bob", "bob", "sudo -s", "sudo -s"),
        ("sudo -i", "root", "sudo -i", "sudo -i"),
        ("sudo -iu bob", "bob", "sudo -i", "sudo -i"),
        ("sudo --login A=1 id", "root", "sudo -i", "sudo -i A=1 id"),
        ("sudo -l", "root", "sudo -l", "sudo -l"),
        ("sudo -ll id", "root", "sudo -l", "sudo -l id"),
        ("sudo --list -U carol", "root", "sudo -l", "sudo -l"),
        ("sudo -v", "root", "sudo -v", "sudo -v"),
        ("sudo -nv", "root", "sudo -v", "sudo -v"),
        ("sudo -e /etc/hosts", "root", "sudoedit", "sudoedit /etc/hosts"),
        ("sudo --edit -u bob a b", "bob", "sudoedit", "sudoedit a b"),
        ("sudoedit -u bob a", "bob", "sudoedit", "sudoedit a"),
        ("/usr/bin/sudoedit -e a", "root", "sudoedit", "sudoedit a"),
        ("sudo sudoedit a", "root", "sudoedit", "sudoedit a"),
    ] {
        let expected = (target.to_owned(), program.to_owned(), line.to_owned());
        assert_eq!(parsed(typed), Some(expected), "{typed}");
    }
}

#[test]
fn nothing_is_said_where_it_might_be_wrong() {
    for typed in [
        "",
        // Unknown here, or refused by sudo.
        "sudo -x id",
        "sudo -nx id",
        "sudo -c class id",
        "sudo --x id",
        "sudo --users=bob id",
        "sudo --user",
        "sudo -u",
        "sudo -nu",
        "sudo --user= id",
        "sudo --list=x id",
        "sudo -é id",
        "sudo -\u{0} id",
        // Below another root `id` may be anything.
        "sudo -R /srv id",
        "sudo -nR/srv id",
        "sudo --chroot=/srv -u bob id",
        // A beginning that two options have.
        "sudo --preserve id",
        "sudo --h web1 id",
        "sudo --=x id",
        // Nobody is asked.
        "sudo -V",
        "sudo -K",
        "sudo -h",
        "sudo --help id",
        "sudo --help=x",
        "sudo -nh web1 id",
        "sudo -h -n id",
        "sudo -h A=1 id",
        // What excludes each other.
        "sudo -is id",
        "sudo -l -v",
        "sudo -e -s a",
        "sudoedit -l a",
        // An assignment to the one sudo and the command to the other.
        "sudo a-b=c id",
        "sudo ./a=b id",
        "sudo -p -- A=1 id",
        // sudoedit to the one, sudo to the other.
        "sudoedit-rs id",
        "xedit id",
        "sudoedit/ id",
        "sudoedit/. id",
        "./edit id",
    ] {
        assert_eq!(parsed(typed), None, "{typed}");
    }
    assert_eq!(parse(&words("sudo -g adm id"), None), None, "whose group it is is unknown");
}

#[test]
fn the_kernel_s_bytes_become_words() {
    let of = |bytes: &[u8]| Words::of(bytes).words;
    assert_eq!(of(b"sudo\0-u\0bob\0id\0"), ["sudo", "-u", "bob", "id"]);
    assert_eq!(of(b"sudo\0\0id\0\0"), ["sudo", "", "id", ""]);
    assert_eq!(of(b"sudo\0caf\xe9\0"), ["sudo", "caf\u{fffd}"]);
    assert_eq!(of(b"sudo\0a b\nc\0"), ["sudo", "a b\nc"]);
}

#[test]
fn what_is_cut_is_not_taken_for_all() {
    let asked = |bytes: &[u8]| parse(&Words::of(bytes), None).map(|asked| asked.command.line);
    for bytes in
        [&b""[..], b"\0", b"sudo", b"sudo\0-s", b"sudo\0-u\0bo", b"sudo\0A=1", b"sudo\0-s\0-", b"sudo\0rebo"]
    {
        assert_eq!(asked(bytes), None, "{bytes:?}");
    }
    assert_eq!(asked(b"sudo\0sh\0-c\0echo 1").as_deref(), Some("sh -c echo 1"));

    let longest = MOST_BYTES as usize;
    let mut bytes = b"sudo\0-p\0".to_vec();
    bytes.resize(longest - 1, b'x');
    bytes.push(0);
    assert_eq!(asked(&bytes), None, "the options may go on");
    let mut bytes = b"sudo\0echo\0".to_vec();
    bytes.resize(longest, b'x');
    assert!(asked(&bytes).is_some_and(|line| line.len() == longest - b"sudo\0".len()));
}

#[test]
fn a_number_has_a_name() {
    let name_of = |uid| (uid == 0).then(|| "root".to_owned());
    for (target, expected) in [
        ("bob", "bob"),
        ("#0", "root"),
        ("#00", "root"),
        ("# 0", "root"),
        ("#+0", "root"),
        ("#1000", "#1000"),
        ("#-1", "#-1"),
        ("#", "#"),
        ("#99999999999", "#99999999999"),
        ("0", "0"),
    ] {
        assert_eq!(named(target.to_owned(), name_of), expected, "{target}");
    }
}

#[test]
fn the_words_of_this_process_are_read() {
    // These are of a test program, which is no sudo; cargo gives it a path, and whatever was asked of it.
    let mut bytes = Vec::new();
    File::open("/proc/self/cmdline").unwrap().take(MOST_BYTES).read_to_end(&mut bytes).unwrap();
    let expected: Vec<_> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    assert_eq!(Words::of(&bytes).words, expected);
}
