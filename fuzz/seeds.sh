#!/bin/sh
# Makes the fixtures and the first corpus anew: a certification authority, the signatures of two people over
# the texts of fixtures/*.txt, and signatures that must never be taken. The keys live in a folder that is
# removed at the end, so nobody can ever sign another text: whatever else is accepted is forged.
#
# Needed only when the texts or the rules of certificates change; the result is committed. Wants OpenSSL 3.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$here"
cargo run --quiet --locked --bin seeds -- texts
cd "$work"

cat >extensions <<'END'
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[person]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
[server]
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
[declares]
keyUsage = critical, nonRepudiation
extendedKeyUsage = clientAuth
END

p256='-algorithm EC -pkeyopt ec_paramgen_curve:P-256'
p384='-algorithm EC -pkeyopt ec_paramgen_curve:P-384'
rsa='-algorithm RSA -pkeyopt rsa_keygen_bits:2048'
ca='/O=ACME/CN=ACME Fuzzing'
alice='/CN=MIDCHEFUZZALICE1:PN/serialNumber=MIDCHEFUZZALICE1'
bob='/CN=MIDCHEFUZZBOB002:PN/serialNumber=MIDCHEFUZZBOB002'
forever=36500

key() { # name, algorithm...
    name=$1; shift
    openssl genpkey -quiet "$@" -out "$name.key"
}
root() { # name, subject
    openssl req -new -x509 -key "$1.key" -subj "$2" -days $forever -config /dev/null \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -out "$1.pem"
}
certify() { # name, issuer, subject, extensions, days
    openssl req -new -key "$1.key" -subj "$3" -config /dev/null -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -extfile extensions -extensions "$4" \
        -days "$5" -out "$1.pem" 2>/dev/null
}
sign() { # file, text, signer, options...
    out=$1 text=$2 who=$3; shift 3
    openssl cms -sign -binary -nodetach -nosmimecap -outform DER -in "$here/fixtures/$text.txt" \
        -signer "$who.pem" -inkey "$who.key" -out "$out.der" "$@"
}

# shellcheck disable=SC2086  # the algorithms are lists of words
{
    key root $p384
    key issuer $p256
    key alice $p256
    key bob $rsa
    key alice384 $p384
    key strangers-root $p256
    key stranger $p256
}
root root "$ca Root"
certify issuer root "$ca Issuer" ca $forever
certify alice issuer "$alice" person $forever
certify bob root "$bob" person $forever
certify alice384 root "$alice" person $forever

# What the real service sends is streamed, with the chain beside it.
sign alice alice alice -md sha256 -certfile issuer.pem -stream -indef
sign alice-attributes-absent alice alice -md sha256 -certfile issuer.pem -noattr
sign alice-by-key-id alice alice -md sha384 -certfile issuer.pem -keyid
sign alice-p384 alice alice384 -md sha384
sign bob bob bob -md sha256 -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:digest
sign bob-pkcs1 bob bob -md sha512 -stream -indef

# The same people and the same text, and every time one thing is wrong.
root strangers-root "$ca Root"
certify stranger strangers-root "$alice" person 36400
sign refused-strangers-root alice stranger -md sha256 -certfile strangers-root.pem
for wrong in server declares; do
    cp alice.key $wrong.key
    certify $wrong issuer "$alice" $wrong 36400
    sign refused-$wrong alice $wrong -md sha256 -certfile issuer.pem
done
cp alice.key expired.key
certify expired issuer "$alice" person 1
sign refused-expired alice expired -md sha256 -certfile issuer.pem
cp alice.key nameless.key
certify nameless issuer '/CN=MIDCHEFUZZALICE1:PN' person 36400
sign refused-nameless alice nameless -md sha256 -certfile issuer.pem
cp stranger.key child.key
certify child alice "$alice" person 36400
cat alice.pem issuer.pem >path.pem
sign refused-issued-by-a-person alice child -md sha256 -certfile path.pem
sign refused-sha1 alice alice -md sha1 -certfile issuer.pem
sign refused-no-chain alice alice -md sha256
sign refused-no-certificates alice alice -md sha256 -nocerts
openssl cms -resign -inform DER -in alice.der -signer bob.pem -inkey bob.key -md sha256 \
    -outform DER -out refused-two-signers.der
openssl cms -sign -binary -outform DER -in "$here/fixtures/alice.txt" -signer alice.pem -inkey alice.key \
    -md sha256 -out refused-detached.der

# A text that nobody signed, in the place of the one that Alice did: see targets/cms.rs.
code=$(sed 's/.* //' "$here/fixtures/alice.txt")
for message in alice alice-attributes-absent; do
    LC_ALL=C sed "s/$code/${code%?}0/" $message.der >refused-other-text-$message.der
done

rm -f "$here"/fixtures/*.der "$here"/fixtures/*.pem
cp root.pem alice.der alice-p384.der bob.der refused-strangers-root.der "$here/fixtures/"
for file in *.der; do cp "$file" "$here/corpus/cms/${file%.der}"; done

cd "$here"
cargo run --quiet --locked --bin seeds
cargo run --quiet --locked --bin radius_seeds
