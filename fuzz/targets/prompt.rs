//! Any prefix, template and values, separated by 0xFF: the text on the phone begins with the prefix, shows the code,
//! fits, and holds nothing that is not seen as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mobileid::prompt::{Code, Command, Prefix, Template, Values, compose, limit, units};
use mobileid_fuzz::assert_fits_the_phone;

fuzz_target!(|bytes: &[u8]| {
    // No UTF-8 has this byte, so that every text can be written.
    let mut parts = bytes.split(|byte| *byte == 0xff).map(String::from_utf8_lossy);
    let mut next = || parts.next().unwrap_or_default();
    let (prefix, template) = (next(), next());
    let (Ok(prefix), Ok(template)) = (prefix.parse::<Prefix>(), template.parse::<Template>()) else { return };
    let (user, host, service, rhost, entropy) = (next(), next(), next(), next(), next());
    let (target, program, line) = (next(), next(), next());
    let mut seed = [0; 8];
    seed.iter_mut().zip(entropy.bytes()).for_each(|(to, from)| *to = from);
    let code = Code::from_entropy(&seed);
    // An empty line of a command stands for none.
    let command = Command { program: program.into_owned(), line: line.into_owned() };
    let values = Values {
        user: &user,
        host: &host,
        service: &service,
        rhost: &rhost,
        target: &target,
        command: Some(&command).filter(|command| !command.line.is_empty()),
        code: &code,
    };

    let text = compose(&prefix, &template, &values);

    assert_fits_the_phone(&text, &prefix.to_string(), code.as_str());
    assert!(units(&text) <= limit(&text));
});
