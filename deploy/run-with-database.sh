#!/bin/sh
# The entry point of the image. The address of the database holds its password, which comes from a file and is known to
# this one process only; `exec` leaves no wrapper behind that could take signals meant for the program.
set -eu

DATABASE_URL="postgresql://switchboard:$(cat "${SECRETS_DIR:-/run/secrets}/switchboard_password")@${DATABASE_SERVER:-postgres:5432}/switchboard"
export DATABASE_URL
exec node --enable-source-maps "$@"
