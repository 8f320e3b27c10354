#!/bin/sh
# A command of Kortlotsen with the settings of the service, by root, who alone reads the secrets:
#
#   install -m 0755 /opt/kortlotsen/current/src/operations/kortlotsen.sh /usr/local/bin/kortlotsen
#   kortlotsen ledger verify
set -eu
for secret in /etc/kortlotsen/secrets/*; do
  if [ -f "$secret" ]; then export "${secret##*/}_FILE=$secret"; fi
done
export NODE_ENV=production
exec /usr/bin/node --enable-source-maps --env-file=/etc/kortlotsen/kortlotsen.env \
  /opt/kortlotsen/current/dist/kortlotsen.js "$@"
