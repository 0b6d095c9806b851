/**
 * Paths of ours with values of others: keys that others added are kept, and a key of ours that is not text is named in
 * the error.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApplicationFailure } from '@temporalio/common';
import { findVaultDrift } from '../../../src/effects/drift/vault.ts';
import { createActivities } from '../../../src/activities/index.ts';
import { getSecret, setSecret } from '../../../src/effects/secrets.ts';
import { presenceOf } from '../../../src/cli/secrets/presence.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { testScope } from '../../support/scope.ts';

const signal = new AbortController().signal;
const PATH = 'apps/api';

/** A platform whose Vault is initialised, with more in one path. */
async function withContents(
  contents: Record<string, unknown>,
  work: (parts: FakeParts, initialise: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await withFakeClients(async (parts) => {
    const activities = createActivities(parts.clients, () => testScope());
    const initialise = async (): Promise<void> => {
      await activities.openVault(parts.run);
      await activities.configureVault(parts.run);
      await activities.seedVault(parts.run);
      await activities.syncSecrets(parts.run);
    };
    await initialise();
    const { versions } = parts.vault.kv.get(PATH)!;
    versions.push({ ...versions.at(-1)!, data: { ...versions.at(-1)!.data, ...contents } as Record<string, string> });
    await work(parts, initialise);
  });
}

const dataOf = ({ vault }: FakeParts): Record<string, unknown> => vault.kv.get(PATH)!.versions.at(-1)!.data!;

describe('values in Vault that are no text', () => {
  const FOREIGN = { n: 5, nest: { a: { b: [1, 'a-nested-password'] } }, z: null, yes: true };

  test('under keys of somebody else harm nothing, and are kept when the path is written', async () => {
    await withContents(FOREIGN, async (parts, initialise) => {
      await initialise();
      const { problems, present } = await presenceOf(parts.clients, signal);
      assert.deepEqual([problems.size, present?.has(`${PATH} api-token`)], [0, true]);
      const { findings } = await findVaultDrift(parts.clients, parts.clients.environment, signal);
      assert.deepEqual(
        findings.filter(({ object }) => object.includes(PATH)).map(({ note }) => note),
        [],
      );
      await setSecret(parts.clients, PATH, 'mail-api-key', 'issued-by-the-provider');
      const { n, nest, z, yes, 'mail-api-key': key } = dataOf(parts);
      assert.deepEqual({ n, nest, z, yes, key }, { ...FOREIGN, key: 'issued-by-the-provider' });
      assert.equal(parts.clients.redactor.redact('it says a-nested-password'), 'it says [redacted]');
    });
  });

  test('numbers that JavaScript would round are written back as they were', async () => {
    await withContents({}, async (parts) => {
      const request = parts.vault.request;
      const exact = '12345678901234567890';
      let written = '';
      parts.vault.request = async (asked) => {
        if (asked.method === 'POST' && asked.path.endsWith(PATH)) written = asked.body ?? '';
        const answer = await request(asked);
        return asked.method === 'GET' && asked.path.endsWith(`data/${PATH}`)
          ? {
              ...answer,
              body: answer.body.replace('{"data":{"data":{', `{"data":{"data":{"big":${exact},"small":1.50,`),
            }
          : answer;
      };
      await setSecret(parts.clients, PATH, 'mail-api-key', 'issued-by-the-provider');
      assert.match(written, new RegExp(`"big":${exact},"small":1\\.50[,}]`));
    });
  });

  for (const [value, type] of [
    [5, 'a number'],
    [null, 'null'],
    [['x'], 'a list'],
    [{}, 'an object'],
    [false, 'true or false'],
  ] as const) {
    test(`under a key of ours are named with path and key, once: ${type}`, async () => {
      await withContents({ 'api-token': value }, async (parts, initialise) => {
        const before = dataOf(parts);
        const failure = await initialise().then(
          () => undefined,
          (error: unknown) => error as ApplicationFailure,
        );
        assert.deepEqual([failure?.type, failure?.nonRetryable], ['InvalidInput', true]);
        assert.match(failure!.message, new RegExp(`secret/${PATH}, key api-token: ${type} \\(version 2\\)`));
        assert.match(failure!.message, /vault kv patch secret\/apps\/api api-token=-/);
        assert.equal(dataOf(parts), before, 'nothing was written');
        await assert.rejects(getSecret(parts.clients, PATH, 'api-token'), /key api-token: /);
        const { problems } = await presenceOf(parts.clients, signal);
        assert.deepEqual([...problems], [[`${PATH} api-token`, type]]);
        const { findings } = await findVaultDrift(parts.clients, parts.clients.environment, signal);
        const about = findings.filter(({ object }) => object === `Vault secret ${PATH}`);
        assert.deepEqual(
          about.map(({ kind, field, was, is, repair }) => [kind, field, was, is, repair]),
          [['changed', 'api-token', 'text', type, undefined]],
        );
      });
    });
  }

  test('are put right by setting the value', async () => {
    await withContents({ 'api-token': 7, n: 5 }, async (parts, initialise) => {
      await setSecret(parts.clients, PATH, 'api-token', 'the-token-as-text');
      await initialise();
      assert.deepEqual([dataOf(parts)['api-token'], dataOf(parts)['n']], ['the-token-as-text', 5]);
    });
  });
});
