/** `ananta codec keys|rotate|retire`. */
import { type KeyRing, replacedAt, withNewKey, writingKey } from '../../clients/temporal/encryption/ring.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine, count, duration, table } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { Asked, EngineKeys } from './engine.ts';
import { existingRing, requireEncryption, ringTarget, writeRing } from './ring-file.ts';
import type { KeyUsage } from './usage.ts';

export interface KeysOptions {
  env: string;
  json?: true;
}

export interface RotateOptions {
  env: string;
  /** Seconds. */
  in?: number;
  out?: string;
}

export interface RetireOptions {
  env: string;
  lost?: true;
  out?: string;
}

/** A kubelet brings a changed Secret to its pods within two minutes or so; files on other machines need people. */
const ELSEWHERE_SECONDS = 600;

export async function listKeys(context: CliContext, { env, json }: KeysOptions): Promise<void> {
  const environment = await loadEnvironment(env, context.config);
  const encryption = requireEncryption(environment, context.config);
  const ring = await existingRing(encryption);
  if (ring === undefined)
    throw refused(`"${env}" has no keys yet (${encryption.keysFile}).`, commandLine('codec', 'rotate', '--env', env));
  const asked = await onEngine(context, environment, async (keys) => ({
    usage: await keys.usage(ring),
    record: await keys.record(),
  }));
  const now = Date.now();
  const rows = ring.keys.map(({ id, createdAt, writesFrom }) => {
    const usage = asked.answer?.usage.get(id);
    return {
      id,
      state: stateOf(ring, id, now),
      createdAt,
      writesFrom,
      ...(usage === undefined ? {} : { ...usage, needed: isNeeded(usage) }),
    };
  });
  const missing = Object.keys(asked.answer?.record.keys ?? {}).filter((id) => !ring.keys.some((key) => key.id === id));
  const { stdout } = context.terminal;
  if (json) {
    printLines(stdout, [
      JSON.stringify({ environment: env, mode: encryption.mode, keys: rows, missing, ...problemOf(asked) }),
    ]);
    return;
  }
  printLines(stdout, [
    ...table(
      rows.map((row) => [row.id, row.state, `since ${row.writesFrom}`, neededWords(asked.answer?.usage.get(row.id))]),
    ),
    ...missing.map((id) => `${id} is not here, and histories on the engine need it`),
    ...(encryption.mode === 'decrypt' ? ['', 'New histories are plain (encryption.mode: decrypt).'] : []),
    ...(asked.problem === undefined ? [] : ['', `What still needs them is not known: ${asked.problem}`]),
  ]);
}

export async function rotateKey(context: CliContext, options: RotateOptions): Promise<void> {
  const { env, out } = options;
  const environment = await loadEnvironment(env, context.config);
  const encryption = requireEncryption(environment, context.config);
  ringTarget(encryption, out);
  const before = await existingRing(encryption);
  const seconds =
    options.in ??
    (before === undefined || 'embedded' in environment.engine || out !== undefined ? 0 : ELSEWHERE_SECONDS);
  const make = async (): Promise<{ ring: KeyRing; id: string; file: string }> => {
    const now = Date.now();
    const made = withNewKey(before, now, now + seconds * 1000);
    return { ...made, file: await writeRing(encryption, made.ring, out) };
  };
  const asked = await onEngine(context, environment, async (keys) => {
    // A file that is gone must not be taken for the first one: what the older keys have encrypted would be given up.
    await keys.requireSame(before);
    const made = await make();
    // Of what is only on its way to a program's keys, whoever has them knows.
    return { made, untold: out === undefined ? await keys.tell(made.ring) : undefined };
  });
  const { ring, id, file } = asked.answer?.made ?? (await make());
  const untold = out === undefined ? (asked.problem ?? asked.answer?.untold) : undefined;
  printLines(context.terminal.stdout, [
    `${before === undefined ? 'The first key' : 'A new key'} of the histories of "${env}": ${id}`,
    seconds === 0
      ? 'It encrypts from now on; what the others have encrypted is still read.'
      : `It encrypts in ${duration(seconds)}, from ${ring.keys.at(-1)?.writesFrom ?? ''} on: until then bring it to wherever workers and commands run.`,
    `Keys: ${file}   (${count(ring.keys.length, 'key')}; keep a copy apart from the engine's backups)`,
    ...(untold === undefined
      ? []
      : [`The engine does not know of it yet: ${untold}. What connects to it next with these keys tells it.`]),
    ...elsewhere(environment, out),
  ]);
}

export async function retireKey(context: CliContext, id: string, options: RetireOptions): Promise<void> {
  const { env, lost, out } = options;
  const environment = await loadEnvironment(env, context.config);
  const encryption = requireEncryption(environment, context.config);
  const ring = await existingRing(encryption);
  const here = ring?.keys.some((key) => key.id === id) === true;
  if (here) ringTarget(encryption, out);
  if (ring !== undefined && here && encryption.mode === 'encrypt' && writingKey(ring, Date.now()).id === id)
    throw refused(
      `${id} is the key that encrypts now: another one has to take its place first.`,
      commandLine('codec', 'rotate', '--env', env),
    );
  const asked = await onEngine(context, environment, async (keys) => {
    const known = id in (await keys.record()).keys;
    if (!here && !known) throw refused(`"${env}" has no key ${id}.`, commandLine('codec', 'keys', '--env', env));
    const usage = ring && here && !lost ? (await keys.usage(ring, id)).get(id) : undefined;
    if (!lost && (usage === undefined || isNeeded(usage)))
      throw refused(
        `${id} is still needed: ${usage === undefined ? 'it is not here, so nobody knows for what' : neededWords(usage)}.`,
        'Wait until the engine has forgotten them (its retention), and try again',
        `${commandLine('codec', 'retire', id, '--lost', '--env', env)}   (gives up what it has encrypted: histories, nothing of the platform)`,
      );
    if (ring && here) await writeRing(encryption, { keys: ring.keys.filter((key) => key.id !== id) }, out);
    await keys.forget(id);
  });
  if (asked.problem !== undefined)
    throw refused(
      `Whether ${id} is still needed only the engine knows: ${asked.problem}`,
      commandLine('doctor', '--env', env),
    );
  printLines(context.terminal.stdout, [
    `${id} is no longer a key of "${env}"${lost ? ': what it has encrypted cannot be read any more' : ''}.`,
    ...elsewhere(environment, here ? out : undefined),
  ]);
}

async function onEngine<T>(
  context: CliContext,
  environment: Environment,
  work: (keys: EngineKeys) => Promise<T>,
): Promise<Asked<T>> {
  // Loaded late: the clients take a second, and a wrong name should be refused at once.
  const { withEngineKeys } = await import('./engine.ts');
  return withEngineKeys(context, environment, work);
}

function elsewhere({ name, engine }: Environment, out: string | undefined): string[] {
  return [
    ...(out === undefined ? [] : [`Put ${out} where encryption.keysCommand looks, then remove it.`]),
    ...('embedded' in engine
      ? []
      : [`${commandLine('install', '--env', name)}   (brings the keys to workers in the cluster)`]),
  ];
}

function stateOf(ring: KeyRing, id: string, now: number): string {
  if (writingKey(ring, now).id === id) return 'encrypts';
  const until = replacedAt(ring, id);
  return until !== undefined && until <= now ? 'decrypts' : 'waits';
}

function isNeeded({ workflows, schedules }: KeyUsage): boolean {
  return workflows > 0 || schedules > 0;
}

function neededWords(usage: KeyUsage | undefined): string {
  if (usage === undefined) return '';
  if (!isNeeded(usage)) return 'nothing needs it';
  return [
    ...(usage.workflows > 0 ? [`${count(usage.workflows, 'workflow')} that the engine keeps may need it`] : []),
    ...(usage.schedules > 0 ? [`${count(usage.schedules, 'schedule')} until the next deployment`] : []),
  ].join(', ');
}

function problemOf({ problem }: Asked<unknown>): { problem?: string } {
  return problem === undefined ? {} : { problem };
}
