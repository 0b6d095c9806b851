/** Certificates and keys of an external engine: read from files, and never printed. */
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Connections } from '../../../environment/connections.ts';
import { EngineAccessError } from '../errors.ts';
import { refuseEverybodys } from '../private-file.ts';

type Engine = Connections['engine'];

export interface EngineTls {
  serverNameOverride?: string;
  serverRootCACertificate?: Buffer;
  clientCertPair?: { crt: Buffer; key: Buffer };
}

/**
 * @throws EngineAccessError naming the file and its key in the environment when one cannot be read, or a key is
 * everybody's
 */
export async function readTls(engine: Engine): Promise<EngineTls | boolean> {
  const { tls } = engine;
  if (typeof tls !== 'object') return tls ?? false;
  const { ca, cert, key, serverName } = tls;
  return {
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
    ...(ca === undefined ? {} : { serverRootCACertificate: await readNamed(ca, 'engine.tls.ca') }),
    ...(cert === undefined || key === undefined
      ? {}
      : {
          clientCertPair: {
            crt: await readNamed(cert, 'engine.tls.cert'),
            key: await readSecret(key, 'engine.tls.key'),
          },
        }),
  };
}

export interface ApiKey {
  /** As the file says now: a key that is exchanged there is used from the next call on. */
  current: () => string;
}

/** A file is not asked more often. */
const LOOK_EVERY_MILLISECONDS = 1000;

/** @throws EngineAccessError when the file cannot be read, is empty, or can be read by everybody */
export async function readApiKey({ apiKeyFile }: Engine): Promise<ApiKey | undefined> {
  if (apiKeyFile === undefined) return undefined;
  let key = (await readSecret(apiKeyFile, 'engine.apiKeyFile')).toString('utf8').trim();
  if (key === '')
    throw new EngineAccessError(`engine.apiKeyFile: ${apiKeyFile} is empty.`, [
      'Write the API key into it, and nothing else.',
    ]);
  let lookedAt = Date.now();
  let written = statSync(apiKeyFile).mtimeMs;
  return {
    current: () => {
      if (Date.now() - lookedAt < LOOK_EVERY_MILLISECONDS) return key;
      lookedAt = Date.now();
      try {
        const now = statSync(apiKeyFile).mtimeMs;
        if (now === written) return key;
        // Somebody may be just writing it: then the one before is used a moment longer.
        const next = readFileSync(apiKeyFile, 'utf8').trim();
        if (next === '') return key;
        key = next;
        written = now;
      } catch {
        // Away for a moment, while it is exchanged.
      }
      return key;
    },
  };
}

async function readNamed(path: string, field: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new EngineAccessError(
      `${field}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`,
      ['Correct the path in the environment file, or put the file there.'],
    );
  }
}

async function readSecret(path: string, field: string): Promise<Buffer> {
  const content = await readNamed(path, field);
  await refuseEverybodys(path, `${field}: ${path}`, 'the engine');
  return content;
}
