/** Where the keys of histories come from: a file, or a program that prints one. They are shown to nobody. */
import { readFile } from 'node:fs/promises';
import type { Connections } from '../../../environment/connections.ts';
import { HistoryKeysError } from '../errors.ts';
import { refuseEverybodys } from '../private-file.ts';
import { type KeyRing, ringSchema } from './ring.ts';

export type EncryptionSettings = NonNullable<Connections['engine']['encryption']>;

export interface KeySource {
  /** As it was read last. */
  current: () => KeyRing;
  /**
   * Reads again, not more often than every two seconds. Keeps what it has on errors.
   * @param why for what is written a program is asked once a minute, and not waited for
   */
  refresh: (why?: 'missing' | 'writing') => Promise<void>;
}

const LOOK_EVERY_MILLISECONDS = 2000;
/** Well within the time that `codec keys` allows for whoever gets a new key later. */
const ASK_EVERY_MILLISECONDS = 60_000;
const COMMAND_MILLISECONDS = 30_000;

/** @throws HistoryKeysError: no keys, not readable, everybody's, no key ring */
export async function openKeySource(
  settings: EncryptionSettings,
  everyMilliseconds = LOOK_EVERY_MILLISECONDS,
): Promise<KeySource> {
  let ring = await readRing(settings);
  let lookedAt = Date.now();
  const read = async (): Promise<void> => {
    // Somebody may be just writing it.
    ring = await readRing(settings).catch(() => ring);
  };
  return {
    current: () => ring,
    refresh: async (why = 'missing') => {
      // A program takes its time, and everything that is written comes by here. Never asking would not do: a worker
      // that meets no new key would write with one that is retired.
      const beside = why === 'writing' && settings.keysCommand !== undefined;
      if (Date.now() - lookedAt < (beside ? ASK_EVERY_MILLISECONDS : everyMilliseconds)) return;
      lookedAt = Date.now();
      const reading = read();
      if (!beside) await reading;
    },
  };
}

/** @throws HistoryKeysError as above; never with what was read */
export async function readRing(settings: EncryptionSettings): Promise<KeyRing> {
  const { where, text } = await readText(settings);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own words would repeat a piece of the text.
    throw broken(where, 'it is no JSON', settings);
  }
  const ring = ringSchema.safeParse(parsed);
  if (ring.success) return ring.data;
  const [issue] = ring.error.issues;
  throw broken(where, `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(), settings);
}

async function readText(settings: EncryptionSettings): Promise<{ where: string; text: string }> {
  if (settings.keysCommand !== undefined)
    return { where: 'encryption.keysCommand', text: await printed(settings.keysCommand, settings) };
  const where = `encryption.keysFile: ${settings.keysFile}`;
  try {
    const text = await readFile(settings.keysFile, 'utf8');
    await refuseEverybodys(settings.keysFile, where, 'every history', HistoryKeysError);
    return { where, text };
  } catch (error) {
    if (error instanceof HistoryKeysError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new HistoryKeysError(
      code === 'ENOENT'
        ? `The histories of "${settings.environment}" are to be encrypted, and there are no keys: no file ${settings.keysFile} (encryption.keysFile).`
        : `${where} cannot be read (${code ?? 'unknown'}).`,
      [
        `Bring the file of the other machines here, or, where "${settings.environment}" has none yet: npm run ananta -- codec rotate --env ${settings.environment}`,
      ],
    );
  }
}

async function printed([program = '', ...args]: readonly string[], settings: EncryptionSettings): Promise<string> {
  // Whatever connects comes by here, and most keys are in a file.
  const { execa } = await import('execa');
  try {
    const { stdout } = await execa(program, args, {
      timeout: COMMAND_MILLISECONDS,
      stdin: 'ignore',
      cwd: settings.cwd,
    });
    return stdout;
  } catch (error) {
    const { shortMessage, stderr } = error as { shortMessage?: string; stderr?: string };
    const said = (stderr ?? '').trim().split('\n').at(-1) ?? '';
    throw new HistoryKeysError(
      `encryption.keysCommand: ${program} gave no keys (${shortMessage?.split('\n')[0] ?? 'unknown'}${said === '' ? '' : `: ${said.slice(0, 200)}`}).`,
      ['Correct the command in the environment file, or log in where it asks.'],
    );
  }
}

function broken(where: string, why: string, { environment }: EncryptionSettings): HistoryKeysError {
  return new HistoryKeysError(`${where} holds no keys of histories: ${why}.`, [
    `Bring the file of the other machines here; its form: docs/look-up/encryption.md. Nothing of the platform depends on it. (environment "${environment}")`,
  ]);
}
