//! What is allowed and told: each warning once, with its line and the client's name.

use super::*;

fn warnings(text: &str) -> Vec<String> {
    settings(text).warnings()
}

/// One client that leaves nothing to say.
const SOUND: &str = "[[client]]\nname = \"one\"\naddress = \"192.0.2.1\"\nsecret = \"0123456789abcdef\"\n\
                     first_factor = \"radius\"\nupstream = \"up\"\n\
                     [[upstream]]\nname = \"up\"\naddress = \"192.0.2.9:1812\"\nsecret = \"0123456789abcdef\"\n";

#[test]
fn a_sound_file_is_not_talked_about() {
    assert_eq!(warnings(SOUND), [""; 0]);
}

#[test]
fn a_directory_that_knows_one_person_by_many_names_is_told() {
    let core = CORE.replace("attributes.user = \"uid\"\n", "");
    let told = read("r.toml", SOUND, &Folder::new().0, &setup_of(&core)).unwrap().warnings();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("mobileid: has the directory ad without attributes.user: "), "{told:?}");
}

#[test]
fn each_risk_is_told_with_its_line() {
    let client = |keys: &str| SOUND.replace("upstream = \"up\"\n", &format!("upstream = \"up\"\n{keys}\n"));
    let rule = |keys: &str| format!("{SOUND}[[rule]]\n{keys}\n");
    for (text, says) in [
        (
            SOUND.replacen("0123456789abcdef", "0123456789abcde", 1),
            "r.toml:4: client.secret: of one is shorter than 16",
        ),
        (
            client("message_authenticator = \"optional\""),
            "r.toml:7: client.message_authenticator: of one is \"optional\"",
        ),
        (client("proxy_state = \"unguarded\""), "r.toml:7: client.proxy_state: of one has no effect"),
        (
            client("strip_realms = \"*\""),
            "r.toml:1: client.strip_realms: of one is \"*\": people of the same name",
        ),
        (
            SOUND.replace("\"192.0.2.1\"", "\"0.0.0.0/0\""),
            "r.toml:3: client.address: of one is every address",
        ),
        (client("deadline = 29"), "r.toml:1: client.deadline: of one leaves less than 20 s"),
        (
            client("nas_timeout = 30\ndeadline = 60"),
            "r.toml:1: client.nas_timeout: of one is shorter than the deadline, 60",
        ),
        (
            client("mode = \"wait-then-challenge\"\nnas_timeout = 90"),
            "r.toml:1: client.nas_timeout: of one is not shorter than the deadline, 90",
        ),
        (
            SOUND.to_owned() + "timeout = 30\ntries = 3\n",
            "r.toml:1: client.deadline: of one is over before all servers of up",
        ),
        (
            SOUND.to_owned() + "message_authenticator = \"optional\"\n",
            "r.toml:11: upstream.message_authenticator: of up is \"optional\"",
        ),
        (
            one_client("").replace("\"none\"", "\"none\" # "),
            "r.toml:5: client.first_factor: of one is \"none\"",
        ),
        (
            SOUND.to_owned() + &SOUND[SOUND.find("[[upstream]]").unwrap()..].replace("\"up\"", "\"spare\""),
            "r.toml:11: upstream.name: spare is asked by no client",
        ),
        (rule("user = \"a\"\nthen = \"accept\""), "r.toml:11: rule.then: is \"accept\" at every client"),
        (
            rule("then = \"phone\"\n[[rule]]\nuser = \"a\"\nthen = \"reject\""),
            "r.toml:13: rule: is never reached: the rule of line 11 fits everything",
        ),
    ] {
        let told = warnings(&text);
        assert_eq!(told.len(), 1, "{text}: {told:?}");
        assert!(told[0].starts_with(says), "{told:?}");
    }
}

#[test]
fn a_rule_that_asks_for_nothing_at_all_is_told() {
    let told = warnings(&one_client("[[rule]]\nclient = \"one\"\nuser = \"a\"\nthen = \"accept\""));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains("one has first_factor = \"none\": nothing is asked here at all"), "{told:?}");
}

#[test]
fn learning_and_unguarded_proxy_states_are_told_by_client() {
    let told =
        warnings(&one_client("message_authenticator = \"learn\"\nproxy_state = \"unguarded\"\n").replacen(
            "[[client]]",
            "state_dir = \"/var/lib/mobileid-radiusd\"\n[[client]]",
            1,
        ));
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[1].contains("of one is \"learn\": until an address"), "{told:?}");
    assert!(told[2].contains("of one is \"unguarded\": the very shape"), "{told:?}");
}

#[test]
fn a_network_that_learns_nothing_is_told() {
    let learning = |address: &str| {
        let text = one_client("message_authenticator = \"learn\"").replace("\"192.0.2.1\"", address);
        warnings(&format!("state_dir = \"/var/lib/mobileid-radiusd\"\n{text}"))
    };
    assert_eq!(learning("[\"192.0.2.1\", \"2001:db8::1\"]").len(), 2);
    let told = learning("[\"192.0.2.1\", \"10.0.0.0/8\"]");
    assert_eq!(told.len(), 3);
    assert_eq!(
        told[0],
        "r.toml:4: client.address: 10.0.0.0/8 of one is a network: its hosts are never learnt"
    );
}

#[test]
fn a_challenge_that_no_other_node_can_finish_is_told() {
    let folder = Folder::new();
    let asynch = setup_of(&CORE.replace("[service]", "[service]\nmessaging_mode = \"asynch\""));
    let told = |text: &str, setup: &Arc<Setup>| {
        read("r.toml", text, &folder.0, setup).unwrap().warnings().join("\n")
    };
    let challenged = SOUND.replace("upstream = \"up\"\n", "upstream = \"up\"\nmode = \"challenge\"\n");
    assert!(told(&challenged, &asynch).contains("state_key_file: is absent: a login that is challenged"));
    assert_eq!(told(&challenged, &setup()), "");
    assert_eq!(told(SOUND, &asynch), "");
    assert_eq!(told(&format!("state_key_file = \"state.key\"\n{challenged}"), &asynch), "");
}

#[test]
fn that_the_unenrolled_are_let_in_is_told() {
    let allowing = setup_of(&CORE.replace("[users]", "[users]\nunenrolled = \"allow\""));
    let read = |text: &str, setup: &Arc<Setup>| read("r.toml", text, Path::new("/"), setup);
    // Said for one host's users, it does not hold for a gateway's.
    let silent = read(SOUND, &allowing).unwrap_err().to_string();
    assert!(silent.starts_with("r.toml:1: mobileid: has users.unenrolled = \"allow\""), "{silent}");
    let told = read(&format!("unenrolled = \"allow\"\n{SOUND}"), &allowing).unwrap().warnings();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("mobileid: has users.unenrolled = \"allow\", and so has this file"), "{told:?}");
    let refused = read(&format!("unenrolled = \"allow\"\n{SOUND}"), &setup()).unwrap_err().to_string();
    assert!(refused.starts_with("r.toml:1: unenrolled: is \"deny\" in the core's"), "{refused}");
    assert!(read(&format!("unenrolled = \"deny\"\n{SOUND}"), &setup()).unwrap().warnings().is_empty());
}

#[test]
fn numbers_for_names_without_a_password_are_told() {
    let told = warnings(&one_client("msisdn_from_user_name = true"));
    let about: Vec<_> = told.iter().filter(|line| line.contains("msisdn_from_user_name")).collect();
    assert_eq!(about.len(), 1, "{told:?}");
    let says = "r.toml:1: client.msisdn_from_user_name: of one makes a phone number a name, and no password";
    assert!(about[0].starts_with(says), "{told:?}");
    // Somebody is asked who may.
    let judged = SOUND.replace("upstream = \"up\"\n", "upstream = \"up\"\nmsisdn_from_user_name = true\n");
    assert_eq!(warnings(&judged), [""; 0]);
}
