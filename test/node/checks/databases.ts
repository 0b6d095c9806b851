/**
 * The four PostgreSQL servers, by psql in their own pods and over TCP: every login with its password, schemas and
 * ledgers.
 */
import assert from 'node:assert/strict';
import type { Platform } from '../support/platform.ts';

interface Login {
  namespace: string;
  path: string;
  key: string;
  user: string;
  databases: readonly string[];
}

const LOGINS: Record<string, readonly Login[]> = {
  'control-plane-postgres': [
    {
      namespace: 'database-system',
      path: 'database/postgres',
      key: 'password',
      user: 'arc_saas',
      databases: ['arc_saas'],
    },
    {
      namespace: 'database-system',
      path: 'database/keycloak',
      key: 'password',
      user: 'keycloak',
      databases: ['keycloak'],
    },
  ],
  'supabase-db': [
    {
      namespace: 'database-system',
      path: 'database/supabase',
      key: 'password',
      user: 'supabase_admin',
      databases: ['supabase'],
    },
    {
      namespace: 'database-system',
      path: 'database/supabase',
      key: 'authenticator-password',
      user: 'authenticator',
      databases: ['supabase'],
    },
    {
      namespace: 'database-system',
      path: 'app-plane/directus',
      key: 'db-password',
      user: 'directus',
      databases: ['directus'],
    },
  ],
  'components-v2-postgres': [
    {
      namespace: 'database-system',
      path: 'database/components-v2',
      key: 'password',
      user: 'components',
      databases: ['components'],
    },
  ],
  'temporal-postgresql': [
    {
      namespace: 'temporal-system',
      path: 'database/temporal',
      key: 'password',
      user: 'temporal',
      databases: ['temporal', 'temporal_visibility'],
    },
  ],
};

/** What migrations leave, asked as the database's owner. */
const LEDGERS: readonly {
  server: string;
  database: string;
  user: string;
  migrations: string;
  tables: readonly string[];
}[] = [
  {
    server: 'control-plane-postgres',
    database: 'arc_saas',
    user: 'arc_saas',
    migrations: '1,2,3',
    tables: ['main.tenants', 'main.subscriptions', 'main.outbox'],
  },
  {
    server: 'supabase-db',
    database: 'supabase',
    user: 'supabase_admin',
    migrations: '1,2,3',
    tables: ['public.organizations', 'public.boms', 'public.audit_log'],
  },
  {
    server: 'components-v2-postgres',
    database: 'components',
    user: 'components',
    migrations: '1,2',
    tables: ['public.components', 'public.enrichment_runs'],
  },
];

/** @param more migrations of a database that are not in the repository, by their versions */
export async function checkDatabases(
  platform: Platform,
  more: Readonly<Record<string, readonly string[]>> = {},
): Promise<void> {
  const passwords = new Map<string, string>();
  for (const [server, logins] of Object.entries(LOGINS)) {
    for (const { namespace, path, key, user, databases } of logins) {
      const password = (await platform.secret(namespace, path))[key] ?? '';
      passwords.set(`${server}/${user}`, password);
      for (const database of databases) {
        assert.equal(
          await ask(platform, server, { database, user, password }, 'SELECT current_user'),
          user,
          `${user} in ${server}/${database}`,
        );
        await assert.rejects(
          ask(platform, server, { database, user, password: 'not-the-password' }, 'SELECT 1'),
          /password authentication failed/,
          `${user} with another password`,
        );
      }
    }
  }
  for (const { server, database, user, migrations, tables } of LEDGERS) {
    const as = { database, user, password: passwords.get(`${server}/${user}`) ?? '' };
    assert.equal(
      await ask(
        platform,
        server,
        as,
        "SELECT string_agg(version, ',' ORDER BY installed_rank) FROM flyway_schema_history WHERE success AND version IS NOT NULL",
      ),
      [migrations, ...(more[database] ?? [])].join(','),
      `ledger of ${database}`,
    );
    for (const table of tables)
      assert.equal(
        await ask(platform, server, as, `SELECT to_regclass('${table}') IS NOT NULL`),
        't',
        `${database}: ${table}`,
      );
  }
  const temporal = { user: 'temporal', password: passwords.get('temporal-postgresql/temporal') ?? '' };
  for (const database of ['temporal', 'temporal_visibility']) {
    assert.match(
      await ask(platform, 'temporal-postgresql', { ...temporal, database }, 'SELECT curr_version FROM schema_version'),
      /^1\.\d+$/,
      `${database}: schema version`,
    );
  }
}

/** As that user, over TCP, where the password counts. @returns what psql prints @throws with its words */
export async function ask(
  platform: Platform,
  server: string,
  as: { database: string; user: string; password: string },
  sql: string,
): Promise<string> {
  // The password by standard input.
  const script =
    'read -r PGPASSWORD; export PGPASSWORD; exec psql --no-psqlrc --host=127.0.0.1 --username="$1" --dbname="$2" --tuples-only --no-align --command="$3"';
  return (
    await platform.exec(server, ['sh', '-ec', script, 'sh', as.user, as.database, sql], `${as.password}\n`)
  ).trim();
}
