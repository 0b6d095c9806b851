/** One secret value from standard input; on a terminal it is typed without being shown. */
import type { ReadStream } from 'node:tty';
import { Interrupted } from '../deploy/interrupt.ts';
import { refused } from '../shared/failure.ts';

/** Vault takes more, but no key or token is longer; a wrong file is. */
const LONGEST = 64 * 1024;

/** @throws CliError (refused) when there is nothing, too much, or what no service could be given as it is */
export async function readSecretValue(prompt: string): Promise<string> {
  if (process.stdin.isTTY) return checkSecretValue(await typed(process.stdin, prompt));
  return secretValueOf(await piped());
}

/** One line break at the end is cut off, every other byte is kept. @throws CliError (refused) */
export function secretValueOf(bytes: Uint8Array): string {
  return checkSecretValue(textFromBytes(bytes));
}

/** @throws CliError (refused) for what is no UTF-8 */
export function textFromBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refused(
      'What came in is no UTF-8 text, and would not be stored as it is. Nothing was stored.',
      'Encode binary values first, as the service that reads them expects it: base64 < FILE',
    );
  }
}

function checkSecretValue(text: string): string {
  const value = text.replace(/\r?\n$/, '');
  if (value === '') throw refused('No value came on standard input.', 'Pass it from a file: … < FILE');
  if (value.length > LONGEST) throw tooLong();
  if (value.includes('\0'))
    throw refused(
      'The value holds a NUL byte, which no environment variable can hold: services would get only what stands before it. Nothing was stored.',
      'Encode binary values first, as the service that reads them expects it: base64 < FILE',
    );
  if (value.startsWith('\uFEFF'))
    throw refused(
      'The value begins with a byte order mark, which belongs to the file and not to the value. Nothing was stored.',
      'Save the file as UTF-8 without a byte order mark.',
    );
  return value;
}

/** What is longer than any value is not read to its end. */
async function piped(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > 4 * LONGEST + 2) throw tooLong();
  }
  return Buffer.concat(chunks);
}

function tooLong(): Error {
  return refused(`What came on standard input is longer than ${LONGEST} characters. Is it the right file?`);
}

/** Raw mode, since the terminal itself would echo. */
function typed(input: ReadStream, prompt: string): Promise<string> {
  process.stderr.write(prompt);
  input.setRawMode(true);
  input.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    let value = '';
    const end = (settle: () => void): void => {
      input.off('data', onData);
      input.setRawMode(false);
      input.pause();
      process.stderr.write('\n');
      settle();
    };
    const onData = (text: string): void => {
      for (const character of text) {
        if (character === '\r' || character === '\n' || character === '\u0004') {
          end(() => resolve(value));
          return;
        }
        if (character === '\u0003') {
          end(() => reject(new Interrupted('SIGINT')));
          return;
        }
        value = character === '\u007f' || character === '\b' ? value.slice(0, -1) : value + character;
      }
    };
    input.on('data', onData);
  });
}
