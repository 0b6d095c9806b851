import { chown, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGES } from '../../../src/catalog/images.ts';
import { ARCHITECTURE, debian } from '../debian.ts';
import { files, tree, users } from '../layers.ts';
import { mavenArtifacts } from '../maven.ts';
import { referenceOf } from '../reference.ts';
import type { ImageRecipe } from '../types.ts';

const HOME = '/usr/lib/postgresql/16';
/** The server of the image's own version, as a Maven artifact: a txz in a jar, with all that it links to. */
const ARTIFACT = `io.zonky.test.postgres:embedded-postgres-binaries-linux-${ARCHITECTURE === 'arm64' ? 'arm64v8' : ARCHITECTURE}:${IMAGES.postgres.tag}.0`;

/** Of `postgresWithTools`. */
export const TAG_WITH_TOOLS = '15-debian';

const server = tree({
  title: `PostgreSQL ${IMAGES.postgres.tag}`,
  key: `${ARTIFACT} 2`,
  async make(folder, work, context) {
    const download = join(work, 'download');
    await mavenArtifacts([ARTIFACT], download, work, context);
    const [jar = ''] = await readdir(download);
    await context.run('jar', ['xf', join(download, jar)], { cwd: download });
    const packed = (await readdir(download)).find((name) => name.endsWith('.txz'));
    if (packed === undefined) throw new Error(`${jar} holds no txz`);
    await mkdir(join(folder, HOME), { recursive: true });
    await context.run('tar', [
      '--extract',
      '--xz',
      '--file',
      join(download, packed),
      '--directory',
      join(folder, HOME),
      '--no-same-owner',
    ]);
    await chown(join(folder, HOME), 0, 0);
    // As the publisher's image has it: for everybody, and the socket where Debian's client looks for it.
    const sample = join(folder, HOME, 'share/postgresql/postgresql.conf.sample');
    const text = await readFile(sample, 'utf8');
    await writeFile(sample, `${text}\nlisten_addresses = '*'\nunix_socket_directories = '/var/run/postgresql'\n`);
  },
});

/**
 * The publisher's contract: an empty data folder is initialised, with the scripts of /docker-entrypoint-initdb.d, then
 * the server runs.
 */
const ENTRYPOINT = `#!/usr/bin/env bash
set -Eeuo pipefail

from_file() {
  local var=$1 file="\${1}_FILE"
  if [ -n "\${!var:-}" ] && [ -n "\${!file:-}" ]; then echo >&2 "error: both $var and $file are set (but are exclusive)"; exit 1; fi
  if [ -n "\${!file:-}" ]; then export "$var"="$(< "\${!file}")"; fi
  unset "$file"
}

[ "\${1:0:1}" = '-' ] && set -- postgres "$@"
if [ "$1" != postgres ]; then exec "$@"; fi

mkdir -p "$PGDATA"; chmod 0700 "$PGDATA" || :
mkdir -p /var/run/postgresql || :
if [ "$(id -u)" = 0 ]; then
  chown -R postgres "$PGDATA" /var/run/postgresql
  exec setpriv --reuid postgres --regid postgres --clear-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS; do from_file "$name"; done
  : "\${POSTGRES_USER:=postgres}"; : "\${POSTGRES_DB:=$POSTGRES_USER}"
  if [ -z "\${POSTGRES_PASSWORD:-}" ] && [ "\${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
    echo >&2 'Error: Database is uninitialized and superuser password is not specified. You must specify POSTGRES_PASSWORD to a non-empty value for the superuser.'
    exit 1
  fi
  eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\\n" "\${POSTGRES_PASSWORD:-}") '"\${POSTGRES_INITDB_ARGS:-}"
  printf '\\nhost all all all %s\\n' "\${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"

  # Meanwhile on the socket alone.
  pg_ctl -D "$PGDATA" -o "$(printf '%q ' "\${@:2}" -c listen_addresses= -p "\${PGPORT:-5432}")" -w start
  export PGPASSWORD="\${POSTGRES_PASSWORD:-}"
  sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --no-password "$@"; }
  if [ "$POSTGRES_DB" != postgres ]; then sql --dbname postgres --set db="$POSTGRES_DB" <<< 'CREATE DATABASE :"db";'; fi
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) sql --dbname "$POSTGRES_DB" -f "$file" ;;
      *.sql.gz) gunzip -c "$file" | sql --dbname "$POSTGRES_DB" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  echo 'PostgreSQL init process complete; ready for start up.'
fi
exec "$@"
`;

const OWNER = { name: 'postgres', uid: 999, gid: 999, home: '/var/lib/postgresql' };

/** The server of the chart's version with Debian's client, 15. */
export const postgres: ImageRecipe = {
  name: 'postgres',
  references: [referenceOf(IMAGES.postgres)],
  layers: [
    ...debian('postgresql-client-15'),
    server,
    files('PostgreSQL image', [
      ...users(OWNER),
      // The programs themselves: Debian's wrapper is a script in Perl, too slow for a probe.
      ...['psql', 'pg_isready', 'pg_dump', 'pg_restore'].map((name) => ({
        path: `${HOME}/bin/${name}`,
        linkTo: `/usr/lib/postgresql/15/bin/${name}`,
      })),
      { path: '/docker-entrypoint-initdb.d', folder: true },
      { path: '/var/lib/postgresql/data', folder: true, mode: 0o1777, uid: 999, gid: 999 },
      { path: '/var/run/postgresql', folder: true, mode: 0o3777, uid: 999, gid: 999 },
      { path: '/usr/local/bin/docker-entrypoint.sh', mode: 0o755, content: ENTRYPOINT },
    ]),
  ],
  ...startedWith(HOME),
};

const DEBIAN_HOME = '/usr/lib/postgresql/15';

/** Debian's server with its own tools, which dump it: those above are older than their server, and refuse to. */
export const postgresWithTools: ImageRecipe = {
  name: 'postgres-with-tools',
  references: [`docker.io/library/postgres:${TAG_WITH_TOOLS}`],
  layers: [
    ...debian('postgresql-15'),
    files('PostgreSQL image of Debian', [
      ...users(OWNER),
      { path: '/docker-entrypoint-initdb.d', folder: true },
      { path: '/var/lib/postgresql/data', folder: true, mode: 0o1777, uid: 999, gid: 999 },
      { path: '/var/run/postgresql', folder: true, mode: 0o3777, uid: 999, gid: 999 },
      {
        path: '/usr/local/bin/docker-entrypoint.sh',
        mode: 0o755,
        content: ENTRYPOINT.replace(
          "  printf '\\nhost all",
          `  echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"\n  printf '\\nhost all`,
        ),
      },
    ]),
  ],
  ...startedWith(DEBIAN_HOME),
};

function startedWith(home: string): Pick<ImageRecipe, 'env' | 'entrypoint' | 'cmd' | 'ports' | 'stopSignal'> {
  return {
    env: {
      PATH: `${home}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      LANG: 'C.UTF-8',
      PGDATA: '/var/lib/postgresql/data',
    },
    entrypoint: ['docker-entrypoint.sh'],
    cmd: ['postgres'],
    ports: [5432],
    // Fast shutdown: it does not wait for its clients to leave.
    stopSignal: 'SIGINT',
  };
}
