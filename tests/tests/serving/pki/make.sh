#!/usr/bin/env bash
# Makes the certificates of the tests anew: an authority, a server, a client, a client of another
# authority, and a client whose certificate has expired. They certify nothing outside the tests.
set -euo pipefail
cd "$(dirname "$0")"
authority() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 \
  -subj "/CN=$2" -keyout "$1.key" -out "$1.pem"; }
signed() { # name, authority, subject, extension
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" -keyout "$1.key" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -out "$1.pem" \
    -days 36500 -extfile <(printf '%s' "$4")
  rm "$1.csr"
}
authority authority 'test authority'
authority stranger 'another authority'
signed server authority localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1'
signed client authority 'a client' 'extendedKeyUsage=clientAuth'
signed foreign stranger 'a foreign client' 'extendedKeyUsage=clientAuth'
# Of a year that is over; `openssl ca` alone can say when a certificate begins.
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=an expired client' \
  -keyout expired.key -out expired.csr
touch index; mkdir issued
openssl ca -batch -config <(printf '%s\n' '[ca]' 'default_ca=d' '[d]' 'database=index' \
  'new_certs_dir=issued' 'rand_serial=yes' 'default_md=sha256' 'policy=p' 'x509_extensions=x' \
  '[p]' 'commonName=supplied' '[x]' 'extendedKeyUsage=clientAuth') -cert authority.pem \
  -keyfile authority.key -startdate 20200101000000Z -enddate 20210101000000Z -notext \
  -in expired.csr -out expired.pem
rm -rf index* issued expired.csr
rm -f ./*.srl authority.key stranger.key stranger.pem
