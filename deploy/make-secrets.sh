#!/bin/sh
# Makes the secret files that are missing in a folder (default: ./secrets), readable by their owner alone.
# Usage: deploy/make-secrets.sh [FOLDER]; then, as root: chown -R 1000:1000 FOLDER (the containers run as user 1000).
set -eu
umask 077

folder="${1:-secrets}"
mkdir -p "$folder"

make() {
  [ -e "$folder/$1" ] && return
  cat >"$folder/$1.unfinished"
  mv "$folder/$1.unfinished" "$folder/$1"
  echo "made $folder/$1"
}

for name in postgres_password temporal_password switchboard_password; do
  openssl rand -hex 24 | make "$name"
done
openssl rand 32 | make secrets_key
openssl rand -hex 32 | make api_token
