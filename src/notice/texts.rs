//! The messages in four languages. Each says what happened and, where it ends a login badly, what to do.

use crate::subscriber::Language;

/// One message in the order of [`Language::ALL`].
pub(super) struct Texts(&'static str, &'static str, &'static str, &'static str);

impl Texts {
    pub(super) fn in_language(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.0,
            Language::De => self.1,
            Language::Fr => self.2,
            Language::It => self.3,
        }
    }
}

pub(super) const THEN_OK: Texts =
    Texts("Then press OK.", "Drücken Sie danach OK.", "Appuyez ensuite sur OK.", "Poi prema OK.");

pub(super) const CONFIRM: Texts = Texts(
    "confirm on your phone if it shows the code",
    "bestätigen Sie auf Ihrem Telefon, wenn es diesen Code zeigt:",
    "confirmez sur votre téléphone s'il affiche le code",
    "confermi sul telefono se mostra il codice",
);
pub(super) const CODE: Texts = Texts("code", "Code", "code", "codice");
pub(super) const PRESS_ENTER: Texts = Texts(
    "press Enter, then confirm on your phone if it shows this code",
    "drücken Sie Enter und bestätigen Sie dann auf Ihrem Telefon, wenn es diesen Code zeigt",
    "appuyez sur Entrée, puis confirmez sur votre téléphone s'il affiche ce code",
    "prema Invio, poi confermi sul telefono se mostra questo codice",
);
pub(super) const ACCEPTED: Texts = Texts("confirmed.", "bestätigt.", "confirmé.", "confermato.");
pub(super) const EXEMPT: Texts = Texts(
    "no phone is entered for you; you are let in without one.",
    "für Sie ist kein Telefon erfasst; Sie werden ohne eingelassen.",
    "aucun téléphone n'est enregistré pour vous; accès accordé sans lui.",
    "nessun telefono è registrato per Lei; accesso concesso senza.",
);
pub(super) const BY_RULE: Texts = Texts(
    "a rule lets you in here without your phone.",
    "eine Regel lässt Sie hier ohne Ihr Telefon ein.",
    "une règle vous donne accès ici sans votre téléphone.",
    "una regola Le consente l'accesso qui senza il telefono.",
);
pub(super) const LATELY_CONFIRMED: Texts = Texts(
    "your phone confirmed a short while ago and is not asked again.",
    "Ihr Telefon hat vor Kurzem bestätigt und wird nicht noch einmal gefragt.",
    "votre téléphone a confirmé il y a peu et n'est pas sollicité de nouveau.",
    "il telefono ha confermato da poco e non viene interpellato di nuovo.",
);
pub(super) const ALREADY_CONFIRMED: Texts = Texts(
    "your phone has confirmed this login already.",
    "Ihr Telefon hat diese Anmeldung schon bestätigt.",
    "votre téléphone a déjà confirmé cette connexion.",
    "il telefono ha già confermato questo accesso.",
);
pub(super) const LET_IN_UNREACHED: Texts = Texts(
    "the Mobile ID service cannot be reached; you are let in without your phone.",
    "der Mobile-ID-Dienst ist nicht erreichbar; Sie werden ohne Ihr Telefon eingelassen.",
    "le service Mobile ID n'est pas joignable; accès accordé sans votre téléphone.",
    "il servizio Mobile ID non è raggiungibile; accesso concesso senza il telefono.",
);
/// Whole, because it is asked and not told.
pub(super) const ONE_TIME_CODE: Texts = Texts(
    "Mobile ID: the service cannot be reached. One-time code, if you have one: ",
    "Mobile ID: der Dienst ist nicht erreichbar. Einmalcode, falls Sie einen haben: ",
    "Mobile ID: le service n'est pas joignable. Code à usage unique, si vous en avez un: ",
    "Mobile ID: il servizio non è raggiungibile. Codice monouso, se ne ha uno: ",
);
pub(super) const ONE_TIME_CODE_USED: Texts = Texts(
    "you are let in with the one-time code, which is now used up.",
    "Sie werden mit dem Einmalcode eingelassen, der nun verbraucht ist.",
    "accès accordé avec le code à usage unique, qui n'est plus valable.",
    "accesso concesso con il codice monouso, che ora non vale più.",
);
pub(super) const ONE_TIME_CODE_REFUSED: Texts = Texts(
    "the service cannot be reached, and the one-time code was not accepted. Log in again with an unused code, or later.",
    "der Dienst ist nicht erreichbar, und der Einmalcode wurde nicht angenommen. Melden Sie sich mit einem unbenutzten Code neu an, oder später.",
    "le service n'est pas joignable, et le code à usage unique n'a pas été accepté. Reconnectez-vous avec un code non utilisé, ou plus tard.",
    "il servizio non è raggiungibile, e il codice monouso non è stato accettato. Acceda di nuovo con un codice non usato, o più tardi.",
);
pub(super) const DENIED_BEFORE: Texts = Texts(
    "this login was denied before, and your phone is not asked again. Start a new one.",
    "diese Anmeldung wurde schon abgelehnt, und Ihr Telefon wird nicht noch einmal gefragt. Beginnen Sie eine neue.",
    "cette connexion a déjà été refusée, et votre téléphone n'est pas sollicité de nouveau. Commencez-en une nouvelle.",
    "questo accesso è già stato negato, e il telefono non viene interpellato di nuovo. Ne inizi uno nuovo.",
);
pub(super) const DECLINED: Texts = Texts(
    "declined on the phone. If you did not start this login, tell your administrator: somebody else did.",
    "am Telefon abgelehnt. Haben Sie diese Anmeldung nicht ausgelöst, melden Sie es Ihrem Administrator: jemand anderes war es.",
    "refusé sur le téléphone. Si cette connexion ne vient pas de vous, prévenez votre administrateur: quelqu'un d'autre l'a lancée.",
    "rifiutato sul telefono. Se questo accesso non è Suo, avvisi l'amministratore: è stato qualcun altro.",
);
pub(super) const NO_ANSWER: Texts = Texts(
    "no answer from your phone in time. See that it is on and has reception, then log in again.",
    "keine rechtzeitige Antwort vom Telefon. Prüfen Sie, ob es eingeschaltet ist und Empfang hat, und melden Sie sich neu an.",
    "pas de réponse du téléphone à temps. Vérifiez qu'il est allumé et a du réseau, puis reconnectez-vous.",
    "nessuna risposta dal telefono in tempo. Controlli che sia acceso e abbia campo, poi acceda di nuovo.",
);
pub(super) const OVER: Texts = Texts(
    "this login is over. Start it again from the beginning.",
    "diese Anmeldung ist beendet. Beginnen Sie sie von vorn.",
    "cette connexion est terminée. Recommencez-la depuis le début.",
    "questo accesso è terminato. Lo ricominci dall'inizio.",
);
pub(super) const TOO_MANY: Texts = Texts(
    "too many logins are waiting. Try again in a minute.",
    "zu viele Anmeldungen warten. Versuchen Sie es in einer Minute wieder.",
    "trop de connexions sont en attente. Réessayez dans une minute.",
    "troppi accessi sono in attesa. Riprovi tra un minuto.",
);
pub(super) const REST: Texts = Texts(
    "your phone was asked too often without a yes. Wait a while, then log in again. If it was not you, tell your administrator.",
    "Ihr Telefon wurde zu oft vergeblich gefragt. Warten Sie eine Weile und melden Sie sich neu an. Waren es nicht Sie, melden Sie es Ihrem Administrator.",
    "votre téléphone a été sollicité trop souvent en vain. Attendez un moment, puis reconnectez-vous. Si ce n'était pas vous, prévenez votre administrateur.",
    "il Suo telefono è stato interpellato troppo spesso invano. Attenda un po', poi acceda di nuovo. Se non era Lei, avvisi l'amministratore.",
);
pub(super) const PIN_BLOCKED: Texts = Texts(
    "your Mobile ID PIN is blocked. Activate Mobile ID again on mobileid.ch, then log in again.",
    "Ihr Mobile-ID-PIN ist gesperrt. Aktivieren Sie Mobile ID neu auf mobileid.ch und melden Sie sich wieder an.",
    "votre NIP Mobile ID est bloqué. Réactivez Mobile ID sur mobileid.ch, puis reconnectez-vous.",
    "il Suo PIN Mobile ID è bloccato. Riattivi Mobile ID su mobileid.ch, poi acceda di nuovo.",
);
pub(super) const SUSPENDED: Texts = Texts(
    "your Mobile ID is suspended. Contact the Swisscom support.",
    "Ihre Mobile ID ist gesperrt. Wenden Sie sich an den Swisscom-Support.",
    "votre Mobile ID est suspendu. Contactez le support Swisscom.",
    "il Suo Mobile ID è sospeso. Contatti il supporto Swisscom.",
);
pub(super) const NOT_ACTIVE: Texts = Texts(
    "your Mobile ID is not active. Activate it on mobileid.ch, then log in again.",
    "Ihre Mobile ID ist nicht aktiv. Aktivieren Sie sie auf mobileid.ch und melden Sie sich wieder an.",
    "votre Mobile ID n'est pas actif. Activez-le sur mobileid.ch, puis reconnectez-vous.",
    "il Suo Mobile ID non è attivo. Lo attivi su mobileid.ch, poi acceda di nuovo.",
);
pub(super) const UNKNOWN_NUMBER: Texts = Texts(
    "your number has no Mobile ID. Activate it on mobileid.ch, or ask your administrator whether the number entered for you is right.",
    "Ihre Nummer hat keine Mobile ID. Aktivieren Sie sie auf mobileid.ch oder fragen Sie Ihren Administrator, ob Ihre Nummer richtig erfasst ist.",
    "votre numéro n'a pas de Mobile ID. Activez-le sur mobileid.ch ou demandez à votre administrateur si votre numéro est correct.",
    "il Suo numero non ha un Mobile ID. Lo attivi su mobileid.ch o chieda all'amministratore se il numero registrato è giusto.",
);
pub(super) const BUSY: Texts = Texts(
    "your phone still shows another request. Finish or decline that one, then log in again.",
    "Ihr Telefon zeigt noch eine andere Anfrage. Beenden oder lehnen Sie diese ab und melden Sie sich neu an.",
    "votre téléphone affiche encore une autre demande. Terminez-la ou refusez-la, puis reconnectez-vous.",
    "il telefono mostra ancora un'altra richiesta. La completi o la rifiuti, poi acceda di nuovo.",
);
pub(super) const PHONE_OUT_OF_REACH: Texts = Texts(
    "your phone could not be reached. See that it has reception, and log in again in a few minutes.",
    "Ihr Telefon war nicht erreichbar. Prüfen Sie den Empfang und melden Sie sich in ein paar Minuten neu an.",
    "votre téléphone n'a pas pu être joint. Vérifiez le réseau et reconnectez-vous dans quelques minutes.",
    "il telefono non era raggiungibile. Controlli il campo e acceda di nuovo fra qualche minuto.",
);
pub(super) const WRONG_PLACE: Texts = Texts(
    "a login is not allowed from where your phone is. Ask your administrator.",
    "vom Standort Ihres Telefons ist keine Anmeldung erlaubt. Fragen Sie Ihren Administrator.",
    "la connexion n'est pas autorisée depuis l'endroit où se trouve votre téléphone. Demandez à votre administrateur.",
    "l'accesso non è consentito dal luogo in cui si trova il telefono. Chieda all'amministratore.",
);
pub(super) const WRONG_METHOD: Texts = Texts(
    "your Mobile ID lacks the method that is asked for here (SIM or App), or this host may not ask for it. Tell your administrator.",
    "Ihrer Mobile ID fehlt die hier verlangte Methode (SIM oder App), oder dieser Rechner darf sie nicht verlangen. Sagen Sie es Ihrem Administrator.",
    "votre Mobile ID n'a pas la méthode demandée ici (SIM ou App), ou cet ordinateur n'a pas le droit de la demander. Prévenez votre administrateur.",
    "al Suo Mobile ID manca il metodo richiesto qui (SIM o App), oppure questo computer non può richiederlo. Avvisi l'amministratore.",
);
pub(super) const INVALID_SIGNATURE: Texts = Texts(
    "your Mobile ID gave an invalid signature. Activate it again on mobileid.ch; the SIM card may have to be replaced.",
    "Ihre Mobile ID hat ungültig signiert. Aktivieren Sie sie neu auf mobileid.ch; vielleicht muss die SIM-Karte ersetzt werden.",
    "votre Mobile ID a donné une signature invalide. Réactivez-le sur mobileid.ch; la carte SIM doit peut-être être remplacée.",
    "il Suo Mobile ID ha dato una firma non valida. Lo riattivi su mobileid.ch; forse la SIM va sostituita.",
);
pub(super) const SERVICE_TROUBLE: Texts = Texts(
    "the Mobile ID service did not give a usable answer. Log in again later; if it stays so, tell your administrator.",
    "der Mobile-ID-Dienst gab keine brauchbare Antwort. Melden Sie sich später neu an; bleibt es so, sagen Sie es Ihrem Administrator.",
    "le service Mobile ID n'a pas donné de réponse utilisable. Reconnectez-vous plus tard; si cela dure, prévenez votre administrateur.",
    "il servizio Mobile ID non ha dato una risposta utilizzabile. Acceda più tardi; se continua, avvisi l'amministratore.",
);
pub(super) const UNREACHABLE: Texts = Texts(
    "the Mobile ID service cannot be reached. Log in again later; if it stays so, tell your administrator.",
    "der Mobile-ID-Dienst ist nicht erreichbar. Melden Sie sich später neu an; bleibt es so, sagen Sie es Ihrem Administrator.",
    "le service Mobile ID n'est pas joignable. Reconnectez-vous plus tard; si cela dure, prévenez votre administrateur.",
    "il servizio Mobile ID non è raggiungibile. Acceda più tardi; se continua, avvisi l'amministratore.",
);
pub(super) const UNVERIFIED: Texts = Texts(
    "the answer could not be verified, so you are not let in. Tell your administrator.",
    "die Antwort liess sich nicht überprüfen, darum kein Einlass. Sagen Sie es Ihrem Administrator.",
    "la réponse n'a pas pu être vérifiée: accès refusé. Prévenez votre administrateur.",
    "la risposta non ha potuto essere verificata: accesso negato. Avvisi l'amministratore.",
);
pub(super) const NEW_SERIAL: Texts = Texts(
    "your Mobile ID was set up anew and is not the one known here. Ask your administrator to renew your entry.",
    "Ihre Mobile ID wurde neu eingerichtet und ist nicht die hier bekannte. Bitten Sie Ihren Administrator, Ihren Eintrag zu erneuern.",
    "votre Mobile ID a été réactivé et n'est pas celui connu ici. Demandez à votre administrateur de renouveler votre inscription.",
    "il Suo Mobile ID è stato riattivato e non è quello noto qui. Chieda all'amministratore di rinnovare la registrazione.",
);
pub(super) const NOT_REGISTERED: Texts = Texts(
    "your phone was not asked, because it has not been registered here yet. Ask your administrator to enrol you.",
    "Ihr Telefon wurde nicht gefragt, weil es hier noch nicht registriert ist. Bitten Sie Ihren Administrator, Sie zu erfassen.",
    "votre téléphone n'a pas été sollicité, car il n'est pas encore enregistré ici. Demandez à votre administrateur de vous inscrire.",
    "il Suo telefono non è stato interpellato, perché non è ancora registrato qui. Chieda all'amministratore di registrarLa.",
);
pub(super) const INTERRUPTED: Texts = Texts(
    "the login was interrupted. Log in again; decline what your phone still shows.",
    "die Anmeldung wurde unterbrochen. Melden Sie sich neu an; lehnen Sie ab, was das Telefon noch zeigt.",
    "la connexion a été interrompue. Reconnectez-vous; refusez ce que le téléphone affiche encore.",
    "l'accesso è stato interrotto. Acceda di nuovo; rifiuti ciò che il telefono mostra ancora.",
);
pub(super) const NOT_ENROLLED: Texts = Texts(
    "no phone is entered for you. Ask your administrator to enter it.",
    "für Sie ist kein Telefon erfasst. Bitten Sie Ihren Administrator darum.",
    "aucun téléphone n'est enregistré pour vous. Demandez-le à votre administrateur.",
    "nessun telefono è registrato per Lei. Lo chieda all'amministratore.",
);
pub(super) const NO_DIRECTORY: Texts = Texts(
    "your phone number could not be looked up. Log in again later; if it stays so, tell your administrator.",
    "Ihre Telefonnummer liess sich nicht nachschlagen. Melden Sie sich später neu an; bleibt es so, sagen Sie es Ihrem Administrator.",
    "votre numéro n'a pas pu être recherché. Reconnectez-vous plus tard; si cela dure, prévenez votre administrateur.",
    "il Suo numero non ha potuto essere cercato. Acceda più tardi; se continua, avvisi l'amministratore.",
);
pub(super) const ACCOUNT_DISABLED: Texts = Texts(
    "your account is disabled or has expired. Ask your administrator.",
    "Ihr Konto ist gesperrt oder abgelaufen. Fragen Sie Ihren Administrator.",
    "votre compte est désactivé ou expiré. Adressez-vous à votre administrateur.",
    "il Suo account è disattivato o scaduto. Si rivolga all'amministratore.",
);
pub(super) const NO_FIRST_FACTOR: Texts = Texts(
    "your password could not be checked. Log in again later; if it stays so, tell your administrator.",
    "Ihr Passwort liess sich nicht prüfen. Melden Sie sich später neu an; bleibt es so, sagen Sie es Ihrem Administrator.",
    "votre mot de passe n'a pas pu être vérifié. Reconnectez-vous plus tard; si cela dure, prévenez votre administrateur.",
    "la Sua password non ha potuto essere verificata. Acceda più tardi; se continua, avvisi l'amministratore.",
);
pub(super) const FAILED: Texts = Texts(
    "the login failed. Try again.",
    "die Anmeldung ist fehlgeschlagen. Versuchen Sie es noch einmal.",
    "la connexion a échoué. Réessayez.",
    "l'accesso non è riuscito. Riprovi.",
);
pub(super) const NOT_HERE: Texts = Texts(
    "a rule does not let you in here. Ask your administrator.",
    "eine Regel lässt Sie hier nicht ein. Fragen Sie Ihren Administrator.",
    "une règle vous refuse l'accès ici. Demandez à votre administrateur.",
    "una regola non Le consente l'accesso qui. Chieda all'amministratore.",
);
pub(super) const MISCONFIGURED: Texts = Texts(
    "it is not set up correctly on this host. Tell your administrator.",
    "auf diesem Rechner nicht richtig eingerichtet. Sagen Sie es Ihrem Administrator.",
    "mal configuré sur cet ordinateur. Prévenez votre administrateur.",
    "non è configurato correttamente su questo computer. Avvisi l'amministratore.",
);
