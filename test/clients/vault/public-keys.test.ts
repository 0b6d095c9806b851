import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readPublicKey } from '../../../src/clients/vault/index.ts';

const BINARY = Buffer.concat([
  Buffer.from([0x98, 0x33]),
  Buffer.from('the rest of a key, longer than one line of armor would hold, so that lines have to be put together'),
]);
const armored = (content: Buffer, what = 'PUBLIC', newline = '\n'): string =>
  [
    `-----BEGIN PGP ${what} KEY BLOCK-----`,
    'Comment: a header',
    '',
    ...(content.toString('base64').match(/.{1,64}/g) ?? []),
    '=aB3d',
    `-----END PGP ${what} KEY BLOCK-----`,
    '',
  ].join(newline);

describe('public keys of operators', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keys-'));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });
  const file = async (content: string | Buffer): Promise<string> => {
    await writeFile(join(folder, 'anna.asc'), content);
    return join(folder, 'anna.asc');
  };

  for (const [name, content] of [
    ['armored', armored(BINARY)],
    ['armored on Windows', armored(BINARY, 'PUBLIC', '\r\n')],
    ['binary', BINARY],
  ] as const) {
    test(`${name}: binary as base64, as Vault takes it`, async () => {
      assert.deepEqual(await readPublicKey(await file(content)), {
        name: 'anna.asc',
        base64: BINARY.toString('base64'),
      });
    });
  }

  for (const [name, content, says] of [
    ['a private key', armored(BINARY, 'PRIVATE'), /holds a private key: its owner alone may have it/],
    ['something else', 'ssh-ed25519 AAAA', /holds no OpenPGP public key.*gpg --armor --export/],
    ['an empty file', '', /holds no OpenPGP public key/],
  ] as const) {
    test(`${name} is refused, with what to do`, async () => {
      await assert.rejects(readPublicKey(await file(content)), { name: 'ConfigurationError', message: says });
    });
  }

  test('a file that is not there is named', async () => {
    await assert.rejects(readPublicKey(join(folder, 'nobody.asc')), /nobody\.asc cannot be read/);
  });
});
