#!/bin/sh
# Brings the two databases of Temporal to the schema of this version of its tools. Safe to repeat; run it before a newer
# server starts. SQL_HOST, SQL_PORT, SQL_USER and SQL_PLUGIN say where; the password is a file in SECRETS_DIR.
set -eu

SQL_PASSWORD="$(cat "$SECRETS_DIR/temporal_password")"
export SQL_PASSWORD

for pair in temporal:temporal temporal_visibility:visibility; do
  database="${pair%%:*}"
  schema="${pair##*:}"
  temporal-sql-tool --db "$database" setup-schema --version 0.0
  temporal-sql-tool --db "$database" update-schema --schema-name "postgresql/v12/$schema"
done
