/**
 * A deployment that waits until people have unsealed Vault, from the command line, with keys in a Secret. Run by
 * lock.test.ts on its sandbox, as the first deployment there.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operators } from '../support/vault/operators.ts';
import { resultOf, type Sandbox } from '../support/sandbox/sandbox.ts';

/** Of the environment's file. */
export const sharesOf = (people: Operators): Record<string, unknown> => ({
  vault: { shares: 3, threshold: 2, keys: { store: 'kubernetes', publicKeys: people.publicKeys } },
});
/** Whose shares they are does not depend on what else is deployed. */
const DEPLOY = ['deploy', '--only', 'vault', '--json'];

interface Status {
  open: boolean;
  place: string;
  owners: string[] | null;
  servers: { server: string; state: string; given: number; threshold: number }[];
}

export async function openedByPeople(sandbox: Sandbox, people: Operators): Promise<void> {
  const status = async (): Promise<Status> =>
    JSON.parse((await sandbox.look(['vault', 'status', '--json'])).stdout || '{"servers":[]}') as Status;
  /** Until it is initialised, its shares are kept, which is a moment later, and it waits. */
  async function sealed(): Promise<Status> {
    for (const deadline = Date.now() + 120_000; ; ) {
      const now = await status();
      if (now.servers.some(({ state }) => state === 'sealed') && now.owners) return now;
      if (Date.now() > deadline)
        throw new Error(`Vault was not sealed with its shares kept within 120 s: ${JSON.stringify(now)}`);
      await sleep(300);
    }
  }
  async function share(index: number): Promise<string> {
    const { shares } = JSON.parse((await sandbox.look(['vault', 'shares', '--json'])).stdout) as {
      shares: { owner: string; share: string }[];
    };
    return people.decrypt(shares[index]!.share);
  }

  const deployment = sandbox.begin(DEPLOY);
  const waiting = await sealed();
  assert.deepEqual(
    [waiting.open, waiting.place, waiting.owners, waiting.servers],
    [
      false,
      'Secret ananta-system/vault-keys',
      ['anna.asc', 'ben.asc', 'cleo.asc'],
      [{ server: 'vault-0', state: 'sealed', given: 0, threshold: 2 }],
    ],
  );
  const retry = await deployment.line(
    ({ type, message }) => type === 'retry' && /waits to be unsealed/.test(String(message)),
  );
  assert.match(
    String(retry['message']),
    /2 of the 3 owners of its shares \(anna\.asc, ben\.asc, cleo\.asc\).*npm run ananta -- vault unseal --env rehearsal/,
  );

  const wrong = await sandbox.cli(['vault', 'unseal'], 'not a share');
  assert.deepEqual([wrong.code, wrong.stderr.includes('not a share')], [3, false], wrong.stderr);
  const first = await share(0);
  const given = await sandbox.cli(['vault', 'unseal'], first);
  assert.deepEqual([given.code, /vault-0: 1 of 2 shares given/.test(given.stderr)], [2, true], given.stderr);
  const second = await share(2);
  assert.equal((await sandbox.cli(['vault', 'unseal'], second)).code, 0);
  assert.equal(resultOf(await deployment.done).outcome, 'succeeded');
  assert.equal((await status()).open, true);
  const again = await sandbox.cli(['vault', 'unseal'], second);
  assert.deepEqual([again.code, /no server of Vault is sealed/.test(again.stderr)], [3, true]);
  const run = await sandbox.look(DEPLOY);
  assert.equal(resultOf(run).services.filter(({ changed }) => changed).length, 0);
  for (const text of [given.stdout, given.stderr, (await deployment.done).stdout, run.stdout]) {
    for (const value of [first, second]) assert.equal(text.includes(value), false);
  }
}
