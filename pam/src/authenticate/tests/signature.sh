#!/bin/sh
# Makes root.pem and signature.b64: a signature over the text that the tests' fixed randomness leads to.
# To be run again when the text changes: sh signature.sh 'ACME: Log in? Code XXXX'
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
printf %s "$1" > "$work/text"
printf '%s\n' '[req]' 'distinguished_name = dn' '[dn]' \
    '[root]' 'basicConstraints = critical, CA:TRUE' 'keyUsage = critical, keyCertSign' \
    '[leaf]' 'keyUsage = critical, digitalSignature' 'extendedKeyUsage = clientAuth' > "$work/cnf"
for name in root leaf; do
    openssl ecparam -name prime256v1 -genkey -noout -out "$work/$name.key"
done
openssl req -new -config "$work/cnf" -subj '/CN=Root of the PAM tests' -key "$work/root.key" -out "$work/root.csr"
openssl x509 -req -in "$work/root.csr" -signkey "$work/root.key" -days 36500 \
    -extfile "$work/cnf" -extensions root -out root.pem
openssl req -new -config "$work/cnf" -subj '/CN=Alice/serialNumber=MIDCHEPAMTEST001' \
    -key "$work/leaf.key" -out "$work/leaf.csr"
openssl x509 -req -in "$work/leaf.csr" -CA root.pem -CAkey "$work/root.key" -CAcreateserial -CAserial "$work/serial" -days 36500 \
    -extfile "$work/cnf" -extensions leaf -out "$work/leaf.pem"
openssl cms -sign -binary -nodetach -md sha256 -signer "$work/leaf.pem" -inkey "$work/leaf.key" \
    -in "$work/text" -outform DER | base64 > signature.b64
