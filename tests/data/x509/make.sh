#!/bin/sh
# Makes the fixtures beside it anew: OpenSSL's command line, GnuTLS's certtool, and make.py for python's cryptography.
# They are checked in, so that tests do not depend on the tools; run it only to add one.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() { openssl genpkey -quiet -algorithm EC -pkeyopt "ec_paramgen_curve:$2" -out "$work/$1.key"; }
# issue NAME SUBJECT ISSUER DIGEST DAYS EXTENSIONS…: a certificate of openssl's, NAME.key is there already
issue() {
    name=$1 subject=$2 issuer=$3 digest=$4 days=$5
    shift 5
    printf '%s\n' "$@" > "$work/extensions"
    openssl req -new -key "$work/$name.key" -subj "$subject" -out "$work/csr"
    if [ "$issuer" = self ]; then
        openssl x509 -req -in "$work/csr" -signkey "$work/$name.key" -"$digest" -days "$days" \
            -extfile "$work/extensions" -out "$name.pem" 2> /dev/null
    else
        openssl x509 -req -in "$work/csr" -CA "$issuer.pem" -CAkey "$work/$issuer.key" -"$digest" -days "$days" \
            -extfile "$work/extensions" -out "$name.pem" 2> /dev/null
    fi
}
ca='basicConstraints=critical,CA:TRUE' sign='keyUsage=critical,keyCertSign,cRLSign'
ski='subjectKeyIdentifier=hash' aki='authorityKeyIdentifier=keyid' server='extendedKeyUsage=serverAuth'
gw='subjectAltName=DNS:GW.example.com,DNS:*.gw.example.com,IP:192.0.2.1,IP:2001:db8::1'

key root P-384
key issuing P-256
key leaf P-256
key other P-256
issue root '/O=Fixture/CN=Fixture root' self sha384 7300 "$ca" "$sign" "$ski"
issue issuing '/O=Fixture/CN=Fixture issuing' root sha384 7300 "$ca,pathlen:0" "$sign" "$ski" "$aki"
issue leaf '/CN=gw.example.com' issuing sha256 7000 "$gw" "$server" "$ski" "$aki"
cp "$work/other.key" "$work/cn-only.key"
issue cn-only '/CN=Old.example.com' issuing sha256 7000 "$server" "$ski" "$aki"
cp "$work/other.key" "$work/client.key"
issue client '/CN=gw.example.com' issuing sha256 7000 "$gw" extendedKeyUsage=clientAuth "$ski" "$aki"
cp "$work/other.key" "$work/ca-leaf.key"
issue ca-leaf '/CN=gw.example.com' issuing sha256 7000 "$ca" "$sign" "$gw" "$ski" "$aki"
cp "$work/other.key" "$work/sha1.key"
issue sha1 '/CN=gw.example.com' issuing sha1 7000 "$gw" "$server" "$ski" "$aki"
cp "$work/other.key" "$work/self.key"
issue self '/CN=gw.example.com' self sha256 7000 "$gw" "$server" "$ski" basicConstraints=CA:FALSE
openssl genrsa -out "$work/rsa1024.key" 1024 2> /dev/null
issue rsa1024 '/CN=gw.example.com' issuing sha256 7000 "$gw" "$server" "$ski" "$aki"
key old-root P-256
issue old-root '/O=Fixture/CN=Old root' self sha256 7300 "$ca" "$ski"
cp "$work/other.key" "$work/old-leaf.key"
issue old-leaf '/CN=old.example.net' old-root sha256 7000 subjectAltName=DNS:old.example.net "$server" "$ski" "$aki"
key old-issuing P-256
issue old-issuing '/O=Fixture/CN=Old issuing' old-root sha256 7000 "$ca" "$ski" "$aki"
cp "$work/other.key" "$work/old-issued.key"
issue old-issued '/CN=old.example.net' old-issuing sha256 6900 subjectAltName=DNS:old.example.net "$server" "$ski" "$aki"
key p521 P-521
issue p521 '/CN=old.example.net' old-root sha256 7000 subjectAltName=DNS:old.example.net "$server" "$ski" "$aki"
openssl genpkey -quiet -algorithm ED25519 -out "$work/ed25519.key"
issue ed25519 '/CN=old.example.net' old-root sha256 7000 subjectAltName=DNS:old.example.net "$server" "$ski" "$aki"
cp "$work/leaf.key" leaf.key
openssl ec -in leaf.key -out leaf-traditional.key 2> /dev/null
openssl pkcs8 -topk8 -in leaf.key -passout pass:fixture -out leaf-encrypted.key
openssl pkcs8 -topk8 -scrypt -in leaf.key -passout pass:fixture -out leaf-scrypt.key
openssl pkcs8 -topk8 -v1 PBE-MD5-DES -provider legacy -provider default -in leaf.key -passout pass:fixture -out leaf-des.key
openssl ec -in leaf.key -aes256 -passout pass:fixture -out leaf-traditional-encrypted.key 2> /dev/null
cp "$work/other.key" other.key
# pkcs12 NAME PASSPHRASE OPTIONS…
pkcs12() {
    name=$1 passphrase=$2
    shift 2
    openssl pkcs12 -export "$@" -inkey leaf.key -in leaf.pem -certfile issuing.pem -passout "pass:$passphrase" -out "$name.p12"
}
pkcs12 leaf fixture
pkcs12 leaf-legacy fixture -legacy
pkcs12 leaf-3des fixture -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
pkcs12 leaf-empty ''
pkcs12 leaf-nomac fixture -nomac
certtool --to-p12 --load-privkey leaf.key --load-certificate leaf.pem --load-ca-certificate issuing.pem \
    --password fixture --p12-name gw --outder --outfile leaf-gnutls.p12 2> /dev/null

certtool --generate-privkey --key-type=rsa --bits=2048 --outfile "$work/gnutls-root.key" 2> /dev/null
certtool --generate-privkey --key-type=rsa --bits=2048 --outfile "$work/gnutls-leaf.key" 2> /dev/null
printf '%s\n' 'cn = "GnuTLS root"' 'organization = "Fixture"' ca cert_signing_key crl_signing_key \
    'expiration_days = 7300' > "$work/root.cfg"
printf '%s\n' 'cn = "mail.example.net"' 'dns_name = "mail.example.net"' 'ip_address = "198.51.100.7"' \
    tls_www_server signing_key encryption_key 'expiration_days = 7000' 'serial = 0x00c0ffee' > "$work/leaf.cfg"
certtool --generate-self-signed --load-privkey "$work/gnutls-root.key" --template "$work/root.cfg" \
    --outfile gnutls-root.pem 2> /dev/null
certtool --generate-certificate --load-privkey "$work/gnutls-leaf.key" --load-ca-certificate gnutls-root.pem \
    --load-ca-privkey "$work/gnutls-root.key" --template "$work/leaf.cfg" --outfile gnutls-leaf.pem 2> /dev/null
/usr/bin/python3 make.py
