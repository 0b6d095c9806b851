/** One secret value from standard input; on a terminal it is typed without being shown. */
import type { ReadStream } from 'node:tty';
import { Interrupted } from './deploy/interrupt.ts';
import { refused } from './failure.ts';

/** Vault takes more, but no key or token is longer; a wrong file is. */
const LONGEST = 64 * 1024;

/** @throws CliError (refused) when there is nothing, or too much */
export async function readSecretValue(prompt: string): Promise<string> {
  const text = process.stdin.isTTY ? await typed(process.stdin, prompt) : await piped();
  const value = text.replace(/\r?\n$/, '');
  if (value === '') throw refused('No value came on standard input.', 'Pass it from a file: … < FILE');
  if (value.length > LONGEST)
    throw refused(`What came on standard input is longer than ${LONGEST} characters. Is it the right file?`);
  return value;
}

async function piped(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
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
