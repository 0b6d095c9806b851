/** MongoDB's users: right passwords are let in, others are not. */
import assert from 'node:assert/strict';
import type { Platform } from '../support/platform.ts';

export async function checkMongodb(platform: Platform): Promise<void> {
  const secret = await platform.secret('notifications', 'notifications/mongodb');
  const as =
    (user: string, password: string | undefined, database: string) =>
    (expression: string): Promise<string> =>
      platform.exec('novu-mongodb', [
        'mongosh',
        '--quiet',
        '--eval',
        expression,
        '--username',
        user,
        '--password',
        password ?? '',
        '--authenticationDatabase',
        database,
      ]);
  const novu = as(secret['username'] ?? '', secret['mongodb-passwords'], 'novu');
  await novu("db.getSiblingDB('novu').checks.insertOne({ key: 'value' })");
  assert.match(await novu("db.getSiblingDB('novu').checks.countDocuments({})"), /^[1-9]\d*$/m);
  assert.match(await as('root', secret['mongodb-root-password'], 'admin')("db.adminCommand('ping').ok"), /^1$/m);
  await assert.rejects(
    as('novu', 'not-the-password', 'novu')("db.getSiblingDB('novu').checks.countDocuments({})"),
    /auth/i,
  );
}
