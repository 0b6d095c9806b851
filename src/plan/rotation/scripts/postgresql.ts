/**
 * PostgreSQL keeps one password a role. So two login roles take turns: the declared one, which owns everything, and its
 * twin, a member of it that becomes it as it logs in (`ALTER ROLE … SET role`): what it makes belongs to the declared
 * one, with whose rights it works.
 */
import type { RotationSystem } from '../../../catalog/schema.ts';
import { type RotationNames, type RotationScript, type RotationValues, type ServerAct, shell } from './script.ts';

const READS: (keyof RotationValues)[] = ['admin', 'former', 'next', 'wrong'];

/** Over TCP: passwords are looked at there alone. Statements would be logged with the password in them. */
const COMMON = `
declared=$1 former_role=$2 next_role=$3 database=$4
export PGHOST=127.0.0.1 PGPORT="\${PGPORT:-5432}" PGCONNECT_TIMEOUT=10 PGAPPNAME=ananta-rotation LC_ALL=C
as() { # role password
  PGPASSWORD="$2" psql --no-psqlrc --quiet --tuples-only --no-align --username="$1" --dbname="$database" \\
    --command='SELECT current_user' </dev/null
}
admin() {
  PGPASSWORD="$admin" NEXT_PASSWORD="$next" psql --no-psqlrc --quiet --tuples-only --no-align \\
    --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse \\
    --set=declared="$declared" --set=former_role="$former_role" --set=next_role="$next_role" "$@"
}
takes_new() {
  pg_isready --quiet
  if as "$next_role" "$wrong" >/dev/null 2>&1; then exit 43; fi
  who=$(as "$next_role" "$next") || exit 41
  if [ "$who" != "$declared" ]; then echo "$next_role works as $who, not as $declared" >&2; exit 41; fi
}`;

const ADD = `
admin <<'SQL'
SET log_min_error_statement TO panic;
SET log_min_duration_statement TO -1;
SET log_statement TO 'none';
\\getenv next NEXT_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', :'next_role')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'next_role') \\gexec
ALTER ROLE :"next_role" WITH LOGIN PASSWORD :'next';
SELECT format('GRANT %I TO %I', :'declared', :'next_role') WHERE :'declared' <> :'next_role' \\gexec
SELECT format('ALTER ROLE %I SET role TO %L', :'next_role', :'declared') WHERE :'declared' <> :'next_role' \\gexec
SQL
takes_new`;

const REVOKE = `
takes_new
if [ "$former_role" != "$next_role" ]; then
admin <<'SQL' >/dev/null
SELECT format('ALTER ROLE %I WITH NOLOGIN PASSWORD NULL', rolname)
  FROM pg_roles WHERE rolname = :'former_role' \\gexec
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :'former_role' AND pid <> pg_backend_pid();
SQL
fi
if as "$former_role" "$former" >/dev/null 2>&1; then exit 42; fi
takes_new`;

const BODIES: Record<ServerAct, string> = { add: ADD, verify: 'takes_new', revoke: REVOKE };

export function postgresqlScript(
  { database }: Extract<RotationSystem, { system: 'postgresql' }>,
  act: ServerAct,
  { declared, former, next }: RotationNames,
): RotationScript {
  return {
    command: shell(READS, `${COMMON}\n${BODIES[act]}`, [declared, former, next, database]),
    reads: READS,
  };
}
