/**
 * PostgreSQL keeps one password a role. So two login roles take turns: the declared one, which owns everything, and its
 * twin, a member of it that becomes it as it logs in (`ALTER ROLE … SET role`): what it makes belongs to the declared
 * one, with whose rights it works. The superuser has such a twin, too.
 */
import type { RotationSystem } from '../../../catalog/schema.ts';
import { type RotationNames, type RotationScript, type RotationValues, type ServerAct, shell } from './script.ts';

const READS: (keyof RotationValues)[] = ['admin', 'former', 'next', 'wrong'];

/** Over TCP: passwords are looked at there alone. Statements would be logged with the password in them. */
const COMMON = `
declared=$1 former_role=$2 next_role=$3 database=$4 admin_role=$5
export PGHOST=127.0.0.1 PGPORT="\${PGPORT:-5432}" PGCONNECT_TIMEOUT=10 PGAPPNAME=ananta-rotation LC_ALL=C
as() { # role password
  PGPASSWORD="$2" psql --no-psqlrc --quiet --tuples-only --no-align --username="$1" --dbname="$database" \\
    --command='SELECT current_user' </dev/null
}
admin() {
  PGPASSWORD="$admin" NEXT_PASSWORD="$next" psql --no-psqlrc --quiet --tuples-only --no-align \\
    --username="$admin_role" --dbname=postgres --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse \\
    --set=declared="$declared" --set=former_role="$former_role" --set=next_role="$next_role" "$@"
}
takes_new() {
  pg_isready --quiet
  if as "$next_role" "$wrong" >/dev/null 2>&1; then exit 43; fi
  who=$(as "$next_role" "$next") || exit 41
  if [ "$who" != "$declared" ]; then echo "$next_role works as $who, not as $declared" >&2; exit 41; fi
}`;

const add = (attributes: string): string => `
admin <<'SQL'
SET log_min_error_statement TO panic;
SET log_min_duration_statement TO -1;
SET log_statement TO 'none';
\\getenv next NEXT_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', :'next_role')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'next_role') \\gexec
ALTER ROLE :"next_role" WITH ${attributes} PASSWORD :'next';
SELECT format('GRANT %I TO %I', :'declared', :'next_role') WHERE :'declared' <> :'next_role' \\gexec
SELECT format('ALTER ROLE %I SET role TO %L', :'next_role', :'declared') WHERE :'declared' <> :'next_role' \\gexec
SQL
takes_new`;

/** @param ends which sessions of the former role end */
const revoke = (attributes: string, ends: string): string => `
takes_new
if [ "$former_role" != "$next_role" ]; then
admin <<'SQL' >/dev/null
SELECT format('ALTER ROLE %I WITH ${attributes} PASSWORD NULL', rolname)
  FROM pg_roles WHERE rolname = :'former_role' \\gexec
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE usename = :'former_role' AND pid <> pg_backend_pid()${ends};
SQL
fi
if as "$former_role" "$former" >/dev/null 2>&1; then exit 42; fi
takes_new`;

const ROLE: Record<ServerAct, string> = { add: add('LOGIN'), verify: 'takes_new', revoke: revoke('NOLOGIN', '') };

/**
 * The superuser may still log in over the server's own socket, where its container asks nobody for a password:
 * checkpoints, upgrades and whoever has to repair it do.
 */
const SUPERUSER: Record<ServerAct, string> = {
  add: add('SUPERUSER LOGIN'),
  verify: 'takes_new',
  revoke: revoke('LOGIN', ' AND client_addr IS NOT NULL'),
};

export function postgresqlScript(
  { database, admin }: Extract<RotationSystem, { system: 'postgresql' }>,
  act: ServerAct,
  names: RotationNames,
): RotationScript {
  const { declared, former, next } = names;
  const bodies = admin === undefined ? SUPERUSER : ROLE;
  return {
    command: shell(READS, `${COMMON}\n${bodies[act]}`, [declared, former, next, database, names.admin]),
    reads: READS,
  };
}
