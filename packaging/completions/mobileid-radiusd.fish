complete -c mobileid-radiusd -l config -d 'The configuration' -r -F
complete -c mobileid-radiusd -l check -d 'Reads everything that the daemon would read, prints every mistake and warning, and ends'
complete -c mobileid-radiusd -l debug -d 'Says what becomes of each packet and login'
complete -c mobileid-radiusd -l help -d 'Prints a summary'
complete -c mobileid-radiusd -l version -d 'Prints the version'
