#!/bin/sh
# PostgreSQL runs this once, when its volume is new. It makes the database, and the owner of
# Hookline's tables: not a superuser, but one who may create the role that tenants work under.
set -eu

psql --no-psqlrc --set=ON_ERROR_STOP=1 --set=password="$HOOKLINE_PASSWORD" \
  --username=postgres --dbname=postgres <<'SQL'
CREATE ROLE hookline LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE hookline OWNER hookline;
SQL
