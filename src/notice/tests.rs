use super::*;

#[test]
fn every_reason_speaks_four_languages_and_says_what_to_do() {
    for reason in Reason::all() {
        let texts = Language::ALL.map(|l| Notice::denied(reason, l).to_string());
        for (at, text) in texts.iter().enumerate() {
            assert!(text.starts_with("Mobile ID: ") && text.len() > 30, "{reason}: {text}");
            // Two sentences at least: what happened, what to do.
            assert!(text.matches('.').count() >= 2, "{reason}: {text}");
            assert!(!text.chars().any(crate::text::is_unprintable), "{text}");
            assert!(texts.iter().skip(at + 1).all(|other| other != text), "{reason}: {text}");
        }
    }
}

#[test]
fn every_exemption_speaks_four_languages_and_only_rules_and_earlier_confirmations_are_silent() {
    for exemption in Exemption::ALL {
        let notices = Language::ALL.map(|l| Notice::exempt(exemption, l));
        for (at, notice) in notices.iter().enumerate() {
            let text = notice.to_string();
            assert!(text.starts_with("Mobile ID: ") && text.ends_with('.'), "{exemption:?}: {text}");
            assert!(!text.chars().any(crate::text::is_unprintable), "{text}");
            assert!(notices.iter().skip(at + 1).all(|other| other.to_string() != text), "{text}");
            let told = ["unenrolled-allowed", "rule-accepts", "unreachable-allowed", "break-glass"];
            assert_eq!(notice.is_silent(), !told.contains(&exemption.name()), "{exemption:?}");
            assert!(!notice.is_denial());
        }
    }
    for reason in Reason::all() {
        assert!(!Notice::denied(reason, Language::En).is_silent(), "{reason}");
    }
    assert!(!Notice::accepted(Language::En).is_silent());
}

#[test]
fn the_code_stands_in_the_request_to_confirm() {
    let code = Code::from_entropy(&[3; 8]);
    for language in Language::ALL {
        let notice = Notice::confirm(code.clone(), language);
        assert!(notice.to_string().contains(code.as_str()), "{notice}");
        assert!(!notice.is_silent());
    }
}

#[test]
fn a_prompt_has_the_code_first_and_room_for_the_answer() {
    let code = Code::from_entropy(&[3; 8]);
    let prompts = Language::ALL.map(|l| Notice::confirm(code.clone(), l).as_prompt());
    let [en, de, fr, it] = &prompts;
    assert_eq!(
        en,
        &format!("Mobile ID: code {code}: press Enter, then confirm on your phone if it shows this code: ")
    );
    for (prompt, key) in [(en, "Enter"), (de, "Enter"), (fr, "Entrée"), (it, "Invio")] {
        let at = prompt.find(code.as_str()).unwrap();
        assert!(at < prompt.find(key).unwrap(), "{prompt}");
        assert!(prompt.starts_with("Mobile ID: ") && prompt.ends_with(": "), "{prompt}");
    }
    assert_eq!(Notice::accepted(Language::En).as_prompt(), "Mobile ID: confirmed. ");
}

#[test]
fn a_one_time_code_is_asked_for_in_four_languages() {
    let questions = Language::ALL.map(break_glass_question);
    for (at, question) in questions.iter().enumerate() {
        assert!(question.starts_with(PREFIX) && question.ends_with(": "), "{question}");
        assert!(!question.chars().any(crate::text::is_unprintable), "{question}");
        assert!(!questions[at + 1..].contains(question), "{question}");
    }
}

#[test]
fn what_the_administrator_needs_is_named() {
    let text = Notice::denied(Reason::Fault(Fault::UnauthorizedAccess), Language::En).to_string();
    assert!(text.ends_with("[unauthorized-access (104)]"), "{text}");
    let text = Notice::denied(Reason::Fault(Fault::UserCancel), Language::En).to_string();
    assert!(!text.contains('['), "{text}");
}
