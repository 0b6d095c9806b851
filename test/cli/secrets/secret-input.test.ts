import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { secretValueOf } from '../../../src/cli/secrets/input.ts';

describe('a secret value from standard input', () => {
  const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

  const KEPT: [what: string, given: Uint8Array, kept: string][] = [
    ['one line break at its end is cut off', bytes('abc\n'), 'abc'],
    ['as Windows writes it, too', bytes('abc\r\n'), 'abc'],
    ['and no more than one', bytes('abc\n\n'), 'abc\n'],
    ['blanks and tabs stay', bytes(' a\tb '), ' a\tb '],
    ['several lines stay', bytes('a\nb\n'), 'a\nb'],
    ['letters of every language stay', Buffer.from('ключ-钥匙-🔑'), 'ключ-钥匙-🔑'],
  ];
  for (const [what, given, kept] of KEPT) test(what, () => assert.equal(secretValueOf(given), kept));

  const REFUSED: [what: string, given: Uint8Array, says: RegExp][] = [
    ['a NUL byte', bytes('a\0b'), /holds a NUL byte/],
    ['a byte that is no UTF-8', bytes('a\xffb'), /is no UTF-8 text/],
    ['text cut in the middle of a letter', Buffer.from('ключ').subarray(0, 7), /is no UTF-8 text/],
    ['UTF-16, as PowerShell writes it', bytes('\xff\xfea\0b\0'), /is no UTF-8 text/],
    ['a byte order mark', bytes('\xef\xbb\xbfabc'), /byte order mark/],
    ['nothing', bytes('\n'), /No value came/],
    ['a wrong file', Buffer.alloc(70_000, 'a'), /longer than 65536 characters/],
  ];
  for (const [what, given, says] of REFUSED)
    test(`${what} is refused`, () => assert.throws(() => secretValueOf(given), { name: 'CliError', message: says }));
});
