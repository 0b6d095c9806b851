import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import bcrypt from 'bcryptjs';
import { complete, randomText, type Sources } from '../../../src/effects/vault/secrets/generate.ts';
import { type SecretPathInput, secretPathSchema } from '../../../src/catalog/schema.ts';

const NOTHING: Sources = { valueOf: () => undefined, supplied: () => undefined };
const path = (...keys: SecretPathInput['keys']): ReturnType<typeof secretPathSchema.parse> =>
  secretPathSchema.parse({ path: 'a/b', origin: 'ours', description: '', keys });

describe('generated values', () => {
  const formats: [Parameters<typeof randomText>[0], number, RegExp][] = [
    ['alphanumeric', 32, /^[A-Za-z0-9]{32}$/],
    ['hex', 64, /^[0-9a-f]{64}$/],
    ['hex', 7, /^[0-9a-f]{7}$/],
    ['base64', 44, /^[A-Za-z0-9+/]{43}=$/],
    ['uuid', 36, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
  ];
  for (const [format, length, pattern] of formats) {
    test(`${format}, ${length} characters, never the same twice`, () => {
      const values = Array.from({ length: 20 }, () => randomText(format, length));
      for (const value of values) assert.match(value, pattern);
      assert.equal(new Set(values).size, 20);
    });
  }

  test('44 characters of base64 are a key of 32 bytes', () => {
    assert.equal(Buffer.from(randomText('base64', 44), 'base64').length, 32);
    assert.equal(Buffer.from(randomText('base64', 24), 'base64').length, 16);
  });
});

describe('a path', () => {
  test('gets what is missing, keeps what is there', async () => {
    const declared = path(
      { kind: 'generated', name: 'password', format: 'alphanumeric', length: 20 },
      { kind: 'fixed', name: 'username', value: 'me' },
    );
    const first = await complete(declared, {}, NOTHING);
    assert.deepEqual(first.added.sort(), ['password', 'username']);
    const again = await complete(declared, { ...first.data, stranger: 'kept' }, NOTHING);
    assert.deepEqual([again.data, again.added], [{ ...first.data, stranger: 'kept' }, []]);
    const grown = await complete(
      path(...declared.keys, { kind: 'generated', name: 'new', format: 'hex', length: 8 }),
      first.data,
      NOTHING,
    );
    assert.deepEqual([grown.data['password'], grown.added], [first.data['password'], ['new']]);
  });

  test('a token is signed with another key of the path, in whatever order they are declared', async () => {
    const { data } = await complete(
      path(
        { kind: 'jwt', name: 'anon', signedWith: 'secret', claims: { role: 'anon' } },
        { kind: 'generated', name: 'secret', format: 'hex', length: 64 },
      ),
      {},
      NOTHING,
      new Date('2026-01-01T00:00:00Z'),
    );
    const [head, claims, signature] = data['anon']!.split('.');
    assert.deepEqual(JSON.parse(Buffer.from(head!, 'base64url').toString()), { alg: 'HS256', typ: 'JWT' });
    assert.deepEqual(JSON.parse(Buffer.from(claims!, 'base64url').toString()), {
      role: 'anon',
      iat: 1767225600,
      exp: 1767225600 + 315360000,
    });
    assert.equal(signature, createHmac('sha256', data['secret']!).update(`${head}.${claims}`).digest('base64url'));
  });

  test('a bcrypt hash fits its password', async () => {
    const { data } = await complete(
      path({ kind: 'bcrypt', name: 'hash', of: 'password' }, { kind: 'fixed', name: 'password', value: 'hunter2' }),
      {},
      NOTHING,
    );
    assert.match(data['hash']!, /^\$2a\$10\$/);
    assert.equal(await bcrypt.compare('hunter2', data['hash']!), true);
  });

  test('copies and supplied values come from their sources; without them they stay open', async () => {
    const declared = path(
      { kind: 'copy', name: 'twin', from: { path: 'c/d', key: 'k' } },
      { kind: 'supplied', name: 'api-key', description: 'from them' },
    );
    const open = await complete(declared, {}, NOTHING);
    assert.deepEqual([open.added, open.unresolved.map(({ name }) => name)], [[], ['twin', 'api-key']]);
    const { data } = await complete(
      declared,
      {},
      { valueOf: (from, key) => `${from}:${key}`, supplied: (of, key) => `${of}:${key.name}` },
    );
    assert.deepEqual(data, { twin: 'c/d:k', 'api-key': 'a/b:api-key' });
  });
});
