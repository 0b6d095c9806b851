import pg from 'pg';
import type { PostgresCheck } from '../check.ts';
import { ATTEMPT_MILLISECONDS, detail, Refused } from './refused.ts';

/** invalid_password, invalid_authorization_specification, insufficient_privilege. */
const REFUSALS = ['28P01', '28000', '42501'];

/** Logs in, becomes the role, and looks for the schema and for tables that migrations have made. */
export async function askPostgres(check: PostgresCheck): Promise<void> {
  const { host, port, database, user, password } = check;
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password,
    connectionTimeoutMillis: ATTEMPT_MILLISECONDS,
    query_timeout: ATTEMPT_MILLISECONDS,
    application_name: 'stand-in',
  });
  // The query reports a server that goes away in between.
  client.on('error', () => undefined);
  try {
    await client.connect();
    if (check.role !== undefined) await client.query(`SET ROLE ${pg.escapeIdentifier(check.role)}`);
    if (check.schema !== undefined) {
      const schemas = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [check.schema]);
      if (schemas.rowCount === 0) throw new Error(`there is no schema ${check.schema} in ${database}`);
    }
    if (check.tables) await findTables(client, check);
    await client.query('SELECT 1');
  } catch (error) {
    const { message, code } = detail(error);
    throw REFUSALS.includes(code) ? new Refused(`${message} (${code})`) : error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function findTables(client: pg.Client, { database, schema }: PostgresCheck): Promise<void> {
  const tables = await client.query(
    `SELECT 1 FROM pg_tables WHERE tablename <> 'flyway_schema_history' AND schemaname NOT IN ('pg_catalog', 'information_schema') AND ($1::text IS NULL OR schemaname = $1) LIMIT 1`,
    [schema ?? null],
  );
  if (tables.rowCount === 0) throw new Error(`no migration has made a table in ${schema ?? database}`);
}
