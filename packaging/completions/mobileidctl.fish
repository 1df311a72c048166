# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_mobileidctl_global_optspecs
    string join \n h/help V/version
end

function __fish_mobileidctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_mobileidctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_mobileidctl_using_subcommand
    set -l cmd (__fish_mobileidctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -s V -l version -d 'Print version'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "breakglass" -d 'One-time codes for the day on which the service is out of reach'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "check" -d 'Checks the configuration and all files it names; asks nobody'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "doctor" -d 'Says what sshd, sudo and PAM will do wrong with the module'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "enrol" -d 'Enrols a user: the phone signs once, and its serial number is kept'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "grace" -d 'Confirmations that stand for a while (pam.grace)'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "heartbeat" -d 'Asks the service whether it is well and knows us; no phone rings'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "identify" -d 'Has a person identified, and asks for the evidence'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "login" -d 'Logs a user in on the phone, and tells each step'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "pushes" -d 'Phones that were asked in vain (pam.push_limit)'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "reload" -d 'Has mobileid-radiusd read its configuration again'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "serial" -d 'Serial numbers that signatures must have (signature.serial)'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "setup" -d 'Makes configuration, key and certificate; goes on where it stopped'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "signature" -d 'Looks at signatures that were kept as evidence'
complete -c mobileidctl -n "__fish_mobileidctl_needs_command" -f -a "whois" -d 'Shows what a login would use, and from where; no phone is asked'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and not __fish_seen_subcommand_from create list revoke" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and not __fish_seen_subcommand_from create list revoke" -f -a "create" -d 'Makes codes for a user and prints them, once'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and not __fish_seen_subcommand_from create list revoke" -f -a "list" -d 'Lists who has codes, how many, and from when; never the codes'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and not __fish_seen_subcommand_from create list revoke" -f -a "revoke" -d 'Takes all codes of a user back'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from create" -l count -d 'How many' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from create" -l state -d 'Instead of /var/lib/mobileid, like the responder\'s' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from create" -l runtime -d 'Instead of /run/mobileid, to try things out' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from create" -l replace -d 'Also where some are left, which are then no good'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from create" -l force -d 'Make codes for a name that is no account of this host'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from create" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from list" -l state -d 'Instead of /var/lib/mobileid, like the responder\'s' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from list" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from revoke" -l state -d 'Instead of /var/lib/mobileid, like the responder\'s' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from revoke" -l runtime -d 'Instead of /run/mobileid, to try things out' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from revoke" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand breakglass; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand check" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand check" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand check" -l strict -d 'Take warnings for mistakes'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand check" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand doctor" -l config -d 'Instead of the one that sshd\'s PAM line names' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand doctor" -l user -d 'Also try sshd\'s Match blocks for this user' -r -f -a "(__fish_complete_users)"
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand doctor" -l sshd-config -d 'Another configuration of sshd' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand doctor" -l pam-dir -d 'The one folder of PAM files' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand doctor" -l sudoers -d 'Another sudoers file' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand doctor" -l root -d 'Look at the system below this folder' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand doctor" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand enrol" -l msisdn -d 'For somebody who is in no directory: +41791234567' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand enrol" -l language -d 'For somebody who is in none: en, de, fr or it' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand enrol" -l first-name -d 'All first names, as in the passport' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand enrol" -l last-name -d 'All last names, as in the passport' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand enrol" -l country -d 'Two letters, like CH' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand enrol" -l name -d 'The distinguished name instead' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand enrol" -l state -d 'Instead of /var/lib/mobileid, like the responder\'s' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand enrol" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand enrol" -l identified -d 'Only with evidence whose number it is: see identify'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand enrol" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand enrol" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand grace; and not __fish_seen_subcommand_from list clear" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand grace; and not __fish_seen_subcommand_from list clear" -f -a "list" -d 'Lists who has confirmed, from where, how long ago, and with which key'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand grace; and not __fish_seen_subcommand_from list clear" -f -a "clear" -d 'Ends confirmations: the next login asks the phone'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand grace; and __fish_seen_subcommand_from list" -l runtime -d 'Instead of /run/mobileid, to try things out' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand grace; and __fish_seen_subcommand_from list" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand grace; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand grace; and __fish_seen_subcommand_from clear" -l runtime -d 'Instead of /run/mobileid, to try things out' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand grace; and __fish_seen_subcommand_from clear" -l all -d 'Everybody\'s, and what cannot be read'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand grace; and __fish_seen_subcommand_from clear" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand grace; and __fish_seen_subcommand_from clear" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand heartbeat" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand heartbeat" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand heartbeat" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and not __fish_seen_subcommand_from methods start status verify" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and not __fish_seen_subcommand_from methods start status verify" -f -a "methods" -d 'Lists identification methods'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and not __fish_seen_subcommand_from methods start status verify" -f -a "start" -d 'Orders an identification, once, and prints where the person has to go'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and not __fish_seen_subcommand_from methods start status verify" -f -a "status" -d 'Says how far an identification is'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and not __fish_seen_subcommand_from methods start status verify" -f -a "verify" -d 'Asks whether there is evidence that a number is a person\'s'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from methods" -l issuer -d 'Of this provider; repeatable' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from methods" -l jurisdiction -d 'Under this law, zertes or eidas; repeatable' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from methods" -l level -d 'Of this level of assurance, 3 or 4' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from methods" -l type -d 'Of this type, like Video, eID, Bankident' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from methods" -l offline -d 'Whether the person has to go somewhere' -r -f -a "true\t''
false\t''"
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from methods" -l webflow -d 'Whether a browser is enough' -r -f -a "true\t''
false\t''"
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from methods" -l real-time -d 'Whether the person can sign at once' -r -f -a "true\t''
false\t''"
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from methods" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from methods" -l all -d 'Of every law and level'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from methods" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from methods" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -l first-name -d 'All first names, as in the passport' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -l last-name -d 'All last names, as in the passport' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -l born -d 'Date of birth, like 1990-12-31' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -l country -d 'Two letters, like CH' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -l email -d 'Where to write to the person' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -l language -d 'en, de, fr or it' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -l external-id -d 'A text of yours that comes back on the bill' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -l mobile -d 'The number, internationally' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -l user -d 'Take number and language of this user' -r -f -a "(__fish_complete_users)"
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from status" -l for -d 'How long to wait at most' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from status" -l every -d 'How long after one answer to ask again' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from status" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from status" -l wait -d 'Wait until it has ended'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from status" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -l mobile -d 'The number, internationally' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -l user -d 'Take number and language of this user' -r -f -a "(__fish_complete_users)"
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -l first-name -d 'All first names, as in the passport' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -l last-name -d 'All last names, as in the passport' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -l country -d 'Two letters, like CH' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -l name -d 'The distinguished name instead' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -l jurisdiction -d 'Under this law: zertes or eidas' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -l claimed-identity -d 'For this customer of the All-in Signing Service' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -l level -d 'Of this level at least, 3 or 4' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand identify; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand login" -l service -d 'What the phone calls it' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand login" -l state -d 'Instead of /var/lib/mobileid, like the responder\'s' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand login" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand login" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand login" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand pushes; and not __fish_seen_subcommand_from list clear" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand pushes; and not __fish_seen_subcommand_from list clear" -f -a "list" -d 'Lists whose phone was asked in vain within the last day, and how often'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand pushes; and not __fish_seen_subcommand_from list clear" -f -a "clear" -d 'Forgets pushes in vain: the phone may be asked again'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand pushes; and __fish_seen_subcommand_from list" -l runtime -d 'Instead of /run/mobileid, to try things out' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand pushes; and __fish_seen_subcommand_from list" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand pushes; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand pushes; and __fish_seen_subcommand_from clear" -l runtime -d 'Instead of /run/mobileid, to try things out' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand pushes; and __fish_seen_subcommand_from clear" -l all -d 'Everybody\'s, and what cannot be read'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand pushes; and __fish_seen_subcommand_from clear" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand pushes; and __fish_seen_subcommand_from clear" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand reload" -l unit -d 'The unit of systemd' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand reload" -l pid -d 'The process, where it is no unit' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand reload" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand reload" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and not __fish_seen_subcommand_from list show pin forget" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and not __fish_seen_subcommand_from list show pin forget" -f -a "list" -d 'Lists the serial numbers that this host keeps'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and not __fish_seen_subcommand_from list show pin forget" -f -a "show" -d 'Shows what is kept of a user, what directories say, and what counts'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and not __fish_seen_subcommand_from list show pin forget" -f -a "pin" -d 'Gives a user this serial number: another one is refused from now on'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and not __fish_seen_subcommand_from list show pin forget" -f -a "forget" -d 'Forgets a user\'s serial number: the next login is a first one'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from list" -l state -d 'Instead of /var/lib/mobileid, like the responder\'s' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from list" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from show" -l state -d 'Instead of /var/lib/mobileid, like the responder\'s' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from show" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from show" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from pin" -l state -d 'Instead of /var/lib/mobileid, like the responder\'s' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from pin" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from pin" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from pin" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from forget" -l state -d 'Instead of /var/lib/mobileid, like the responder\'s' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from forget" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from forget" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand serial; and __fish_seen_subcommand_from forget" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l ap-id -d 'Who we are: from the contract with Swisscom' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l prefix -d 'The text\'s first word: from the contract, too' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l url -d 'Instead of https://mobileid.swisscom.com' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l server-name -d 'The server\'s name, where URL has an address' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l server-trust -d 'Roots of the server, instead of the system\'s' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l name -d 'The certificate\'s CN; this host\'s name if not said' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l organisation -d 'The certificate\'s O: the company' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l country -d 'The certificate\'s C; CH if not said' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l key -d 'rsa-4096 if not said, or rsa-2048' -r -f -a "rsa-2048\t''
rsa-4096\t''"
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l trust -d 'A root of the signers, from Swisscom; repeatable' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l trust-sha256 -d 'Takes a root that is not Swisscom\'s; repeatable' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l simulator -d 'Takes what mobileid-simulator has laid out there' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l folder -d 'Instead of /etc/mobileid' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand setup" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand signature; and not __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand signature; and not __fish_seen_subcommand_from verify" -f -a "verify" -d 'Checks that a text was signed, and by whom'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand signature; and __fish_seen_subcommand_from verify" -l cms -d 'The CMS signature, binary or base64' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand signature; and __fish_seen_subcommand_from verify" -l text -d 'The text that must have been signed, with its prefix' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand signature; and __fish_seen_subcommand_from verify" -l trust -d 'A root, PEM or DER, or a folder of them; repeatable' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand signature; and __fish_seen_subcommand_from verify" -l serial -d 'The serial number that the signer must have' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand signature; and __fish_seen_subcommand_from verify" -l at -d 'When it was: 2024-07-02T08:30:00Z [default: now]' -r
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand signature; and __fish_seen_subcommand_from verify" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand signature; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand whois" -l state -d 'Instead of /var/lib/mobileid, like the responder\'s' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand whois" -l config -d 'Instead of /etc/mobileid/mobileid.toml' -r -F
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand whois" -l reveal -d 'Show the whole number; only root may'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand whois" -l json -d 'Print one line of JSON instead of text'
complete -c mobileidctl -n "__fish_mobileidctl_using_subcommand whois" -s h -l help -d 'Print help'
