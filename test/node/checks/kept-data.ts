/** Data of our own in each kind of store, written before the platform is taken down and looked for afterwards. */
import assert from 'node:assert/strict';
import type { Platform } from '../support/platform.ts';
import { ask } from './databases.ts';

const ROWS = 1000;
const MARK = 'written-before';

export interface KeptData {
  write: () => Promise<void>;
  check: () => Promise<void>;
  /** Of a table of the control plane, as text. */
  rowsOf: (table: string) => Promise<string>;
}

export function keptData(platform: Platform): KeptData {
  const controlPlane = async (sql: string): Promise<string> => {
    const { password = '' } = await platform.secret('database-system', 'database/postgres');
    return ask(platform, 'control-plane-postgres', { database: 'arc_saas', user: 'arc_saas', password }, sql);
  };
  const redis = async (command: string): Promise<string> => {
    const password = (await platform.secret('cache-system', 'cache/control-plane-redis'))['redis-password'] ?? '';
    return platform.exec(
      'control-plane-redis',
      ['sh', '-ec', `read -r REDISCLI_AUTH; export REDISCLI_AUTH; ${command}`],
      `${password}\n`,
    );
  };
  const bucket = async (script: string): Promise<string> => {
    const { rootUser = '', rootPassword = '' } = await platform.secret('app-plane', 'storage/app-plane-minio');
    return platform.exec(
      'app-plane-minio',
      ['sh', '-ec', `read -r MC_HOST_s; export MC_HOST_s MC_CONFIG_DIR=/tmp/.mc-check; ${script}`],
      `http://${rootUser}:${rootPassword}@127.0.0.1:9000\n`,
    );
  };
  const rowsOf = (table: string): Promise<string> => controlPlane(`SELECT count(*) FROM main.${table}`);
  return {
    rowsOf,
    write: async () => {
      await controlPlane(`CREATE TABLE main.kept AS SELECT generate_series(1, ${ROWS}) AS id`);
      await redis(`redis-cli set kept ${MARK} > /dev/null; redis-cli save`);
      await bucket(`echo ${MARK} | mc pipe --quiet s/documents/kept > /dev/null`);
    },
    check: async () => {
      assert.equal(await rowsOf('kept'), String(ROWS));
      assert.match(await redis('redis-cli get kept'), new RegExp(MARK));
      assert.match(await bucket('mc cat s/documents/kept'), new RegExp(MARK));
    },
  };
}
