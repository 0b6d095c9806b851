/**
 * What PostgreSQL's own tools run in the server's own container: over its socket, with the password that the
 * container has, if it has one. No value goes in or comes out. Pure.
 */

const LOGIN = `
export LC_ALL=C PGUSER=postgres PGCONNECT_TIMEOUT=10 PGAPPNAME=ananta-checkpoint
password="\${POSTGRES_POSTGRES_PASSWORD:-\${POSTGRES_PASSWORD:-}}"
for file in "\${POSTGRES_POSTGRES_PASSWORD_FILE:-}" "\${POSTGRES_PASSWORD_FILE:-}"; do
  if [ -z "$password" ] && [ -n "$file" ] && [ -r "$file" ]; then password=$(cat "$file"); fi
done
if [ -n "$password" ]; then export PGPASSWORD="$password"; fi
sql() { psql --no-psqlrc --no-password --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="$1"; }
`;

/** @param args are $1, $2 … */
function shell(body: string, ...args: string[]): string[] {
  return ['sh', '-euc', `${LOGIN}${body}`, 'checkpoint', ...args];
}

/**
 * Statements for the database of the server itself, which know the arguments by names.
 * @param names of $1, $2 …, all of them
 */
function query(names: readonly string[], statements: string): string {
  const set = names.map((name) => `\\\\set ${name} '\\''%s'\\''\\n`).join('');
  return `{ printf '${set}' "$@"; cat <<'SQL'
${statements}
SQL
} | sql postgres`;
}

/** To standard output, in PostgreSQL's custom format. */
export function dumpCommand(database: string): string[] {
  return shell('exec pg_dump --no-password --format=custom --dbname="$1"', database);
}

/**
 * Of every table, as JSON by its name: how many rows it has, and a sum over what is in them, whatever their order. It
 * reads all of them.
 */
export function countCommand(database: string): string[] {
  return shell(
    `sql "$1" <<'SQL'
SELECT coalesce(json_object_agg(name, json_build_object('rows', c, 'sum', s) ORDER BY name), '{}') FROM (
  SELECT name, (xpath('/row/c/text()', found))[1]::text::bigint AS c, (xpath('/row/s/text()', found))[1]::text AS s
  FROM (
    SELECT format('%I.%I', schemaname, tablename) AS name, query_to_xml(format(
      'SELECT count(*) AS c, coalesce(sum(hashtextextended("of row"::text COLLATE "C", 0)::numeric), 0) AS s FROM %I.%I AS "of row"',
      schemaname, tablename), false, true, '') AS found
    FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') OFFSET 0) AS looked) AS counted;
SQL`,
    database,
  );
}

/** Whoever is still at work in it, a tool that an attempt before has left, is cut off. */
const DROP_SCRATCH = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = :'scratch';
SELECT format('DROP DATABASE %I%s', datname,
    CASE WHEN current_setting('server_version_num')::int >= 130000 THEN ' WITH (FORCE)' ELSE '' END)
  FROM pg_database WHERE datname = :'scratch' \\gexec`;

/** An empty database like another one; what an attempt before has left of it goes. Says its oid in the last line. */
export function scratchCommand(database: string, scratch: string): string[] {
  return shell(
    query(
      ['database', 'scratch'],
      `${DROP_SCRATCH}
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L',
  :'scratch', pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype)
  FROM pg_database WHERE datname = :'database' \\gexec
SELECT oid FROM pg_database WHERE datname = :'scratch';`,
    ),
    database,
    scratch,
  );
}

/** From standard input, which stays open: so many bytes are read. */
export function loadCommand(scratch: string, bytes: number): string[] {
  return shell('head -c "$2" | pg_restore --no-password --exit-on-error --dbname="$1"', scratch, String(bytes));
}

export function dropCommand(scratch: string): string[] {
  return shell(query(['scratch'], DROP_SCRATCH), scratch);
}

/** What a database says of itself since it was swapped in; nothing for any other. */
export function markCommand(database: string): string[] {
  return shell(
    query(
      ['database'],
      "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = :'database';",
    ),
    database,
  );
}

/** What a scratch database says of itself while the live one is closed for it. */
const CLOSED_FOR = 'ananta: the live database is closed for this one';

/**
 * A live database that a swap has closed, and whose server ended before it was swapped, is open again. One that
 * somebody else has closed stays closed.
 */
export function reopenCommand(database: string, scratch: string): string[] {
  return shell(
    query(
      ['database', 'scratch'],
      `SELECT format('ALTER DATABASE %I ALLOW_CONNECTIONS true', live.datname)
  FROM pg_database AS live JOIN pg_database AS scratch ON scratch.datname = :'scratch'
  WHERE live.datname = :'database' AND NOT live.datallowconn
    AND shobj_description(scratch.oid, 'pg_database') = '${CLOSED_FOR}' \\gexec`,
    ),
    database,
    scratch,
  );
}

const SWAP_NAMES = ['database', 'scratch', 'aside', 'mark', 'oid'];
/** Fails where an attempt since has made another database of that name, which may be half empty. */
const STILL_THIS = `SELECT 1 / count(*) FROM pg_database WHERE datname = :'scratch' AND oid = :'oid'::oid;`;
const CLOSE = `${STILL_THIS}
COMMENT ON DATABASE :"scratch" IS '${CLOSED_FOR}';
ALTER DATABASE :"database" ALLOW_CONNECTIONS false;
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname IN (:'database', :'scratch');`;
const SWAP = `BEGIN;
${STILL_THIS}
ALTER DATABASE :"database" RENAME TO :"aside";
ALTER DATABASE :"scratch" RENAME TO :"database";
UPDATE pg_database AS live SET datacl = was.datacl FROM pg_database AS was
  WHERE live.datname = :'database' AND was.datname = :'aside';
INSERT INTO pg_db_role_setting (setdatabase, setrole, setconfig)
  SELECT live.oid, setrole, setconfig FROM pg_db_role_setting
  JOIN pg_database AS was ON was.oid = setdatabase AND was.datname = :'aside'
  JOIN pg_database AS live ON live.datname = :'database';
COMMENT ON DATABASE :"database" IS :'mark';
COMMIT;`;
const OPEN = `SELECT format('ALTER DATABASE %I ALLOW_CONNECTIONS true', datname)
  FROM pg_database WHERE datname = :'database' \\gexec`;

/**
 * The scratch database takes the place of the live one in one transaction, with its rights and settings; the live one
 * stays under another name, closed for everybody. Where that does not come about, it is open again.
 */
export function swapCommand(
  database: string,
  { name, oid }: { name: string; oid: string },
  aside: string,
  mark: string,
): string[] {
  return shell(
    `closed() { ${query(SWAP_NAMES, CLOSE)} >/dev/null; }
swapped() { ${query(SWAP_NAMES, SWAP)}; }
opened() { ${query(SWAP_NAMES, OPEN)}; }
tries=0
until closed "$@" && swapped "$@"; do
  tries=$((tries + 1))
  if [ "$tries" -ge 10 ]; then opened "$@"; exit 44; fi
  sleep 1
done`,
    database,
    name,
    aside,
    mark,
    oid,
  );
}
