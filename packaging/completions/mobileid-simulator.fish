complete -c mobileid-simulator -l state -d 'Where its keys, certificates and a ready client configuration, mobileid.toml and users.toml, live' -r -f -a "(__fish_complete_directories)"
complete -c mobileid-simulator -l listen -d 'Where the service listens. Default: 127.0.0.1:0, which is a free port' -r -f
complete -c mobileid-simulator -l phone -d 'Where the phone page listens. Default: 127.0.0.1:0' -r -f
complete -c mobileid-simulator -l srs -d 'Where the Smart Registration Service listens. Default: 127.0.0.1:0' -r -f
complete -c mobileid-simulator -l subscribers -d 'Who has a Mobile ID, instead of the built-in table; see below' -r -F
complete -c mobileid-simulator -l profiles -d 'Signature profiles that the provider may use, separated by commas:' -r -f
complete -c mobileid-simulator -l client-cert -d 'A certificate that the service has registered, beside the client.crt that it lays out: one that' -r -F
complete -c mobileid-simulator -l population -d 'Adds user0 and on, N people with the numbers +41791000000 and on, who confirm. They share a key' -r -f
complete -c mobileid-simulator -l population-delay -d 'How many milliseconds each of them takes. Default: 0' -r -f
complete -c mobileid-simulator -l population-key -d 'What they sign with:' -r -f
complete -c mobileid-simulator -l http2 -d 'Offers HTTP/2 beside HTTP/1.1'
complete -c mobileid-simulator -l exit-with-stdin -d 'Ends when standard input ends'
complete -c mobileid-simulator -l list-subscribers -d 'Prints the built-in table'
complete -c mobileid-simulator -l help -d 'Print what they say'
complete -c mobileid-simulator -l version -d 'Print what they say'
