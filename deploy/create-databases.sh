#!/bin/sh
# Makes the roles and databases that are missing on the PostgreSQL server of PGHOST, PGPORT and PGUSER. Safe to repeat;
# a role that is there gets the password of its file, so that a changed file and a new run change the password.
# Secrets are files in SECRETS_DIR, made by make-secrets.sh.
set -eu

PGPASSWORD="$(cat "$SECRETS_DIR/postgres_password")"
export PGPASSWORD

run() {
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname postgres "$@"
}

for role in switchboard temporal; do
  run --set role="$role" --set password="$(cat "$SECRETS_DIR/${role}_password")" <<'SQL'
SELECT format('CREATE ROLE %I LOGIN', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', :'role', :'password') \gexec
SQL
done

for pair in switchboard:switchboard temporal:temporal temporal_visibility:temporal; do
  run --set database="${pair%%:*}" --set owner="${pair##*:}" <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
SELECT format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', :'database') \gexec
SQL
done
