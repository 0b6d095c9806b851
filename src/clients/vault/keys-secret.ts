/**
 * The keys in a Secret of the cluster, where a worker that lives there finds them. The API server's answer is what
 * makes them durable.
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { MANAGED_BY, MANAGED_BY_LABEL, OWNER_LABEL } from '../../contract/names.ts';
import {
  type KubernetesClient,
  KubernetesError,
  type KubernetesObject,
  paths,
  UnreachableError,
} from '../kubernetes/index.ts';
import type { Redactor } from '../redact.ts';
import type { KeySpool } from './keys-spool.ts';
import { type KeyStore, registerKeys, parseKeys, type VaultKeys } from './keys.ts';

const secretSchema = z.object({ data: z.record(z.string(), z.string()).nullish() });
const RECORD = 'keys.json';
const NOTE = 'init-began';
const WAITING = 'supplied.json';
const ATTEMPTS = 5;
const PATIENCE_MILLISECONDS = 60_000;
const PAUSE_MILLISECONDS = 500;
const noteSchema = z.object({ cluster: z.string(), host: z.string().optional() });

export interface KeySecretOptions {
  /** Where keys are kept until the API server has them; absent: they are not kept. */
  spool?: KeySpool;
  /** How long an API server that is away is tried again. */
  patienceMilliseconds?: number;
}

interface Place {
  namespace: string;
  /** The owner, for the labels of what is created. */
  environment?: string | undefined;
}

/** The namespace is made when it is missing; nothing else of it is touched. */
export function createKeySecret(
  kubernetes: Pick<KubernetesClient, 'get' | 'create' | 'replace' | 'apply'>,
  { namespace, name, environment }: Place & { name: string },
  redactor: Redactor,
  { spool, patienceMilliseconds = PATIENCE_MILLISECONDS }: KeySecretOptions = {},
): KeyStore {
  const place = `Secret ${namespace}/${name}`;
  const find = (): Promise<KubernetesObject | undefined> => kubernetes.get(paths.secret(namespace, name));
  const fields = async (): Promise<Record<string, string>> => dataOf(await find());

  /** Reads, changes and writes back: what somebody else wrote in between is not lost. */
  const change = async (edit: (data: Record<string, string>) => Record<string, string>): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const found = await find();
        const data = edit(dataOf(found));
        if (found)
          await kubernetes.replace(paths.secret(namespace, name), { ...found, apiVersion: 'v1', kind: 'Secret', data });
        else {
          await ensureNamespace(kubernetes, namespace);
          await kubernetes.create(paths.secrets(namespace), secretOf({ namespace, environment }, name, data));
        }
        return;
      } catch (error) {
        if (!(error instanceof KubernetesError) || error.status !== 409 || attempt >= ATTEMPTS) throw error;
      }
    }
  };

  const whileAway = async (work: () => Promise<void>): Promise<void> => {
    const deadline = Date.now() + patienceMilliseconds;
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (!isAway(error) || Date.now() > deadline) throw error;
        await sleep(PAUSE_MILLISECONDS);
      }
    }
  };
  /**
   * Keys that an earlier attempt saved on this machine and could not write to the cluster: they are written there now.
   */
  const arrived = async (data: Readonly<Record<string, string>>): Promise<VaultKeys | undefined> => {
    const keys = await spool?.read();
    // Of another cluster, or of an attempt that is not on record here.
    if (keys === undefined || noteOf(data)?.cluster !== keys.cluster) return undefined;
    await change((known) => ({ [RECORD]: encoded(JSON.stringify(keys)), ...known }));
    await spool?.remove();
    return keys;
  };

  return {
    path: place,
    read: async () => {
      const data = await fields();
      const record = data[RECORD];
      if (record === undefined) return arrived(data);
      const keys = parseKeys(decoded(record), place, redactor);
      await spool?.remove();
      return keys;
    },
    write: async (keys) => {
      registerKeys(keys, redactor);
      const kept = await spool?.put(keys);
      try {
        await whileAway(() => change((data) => ({ ...data, [RECORD]: encoded(JSON.stringify(keys)) })));
      } catch (error) {
        if (kept !== true || spool === undefined || !isAway(error)) throw error;
        throw new UnreachableError(
          `${(error as Error).message}; the keys that Vault gave are kept in ${spool.place} until ${place} can be written`,
        );
      }
      await spool?.remove();
    },
    putAside: async () => {
      const record = (await fields())[RECORD];
      if (record === undefined) return place;
      const aside = `${name}-${new Date().toISOString().replaceAll(/[:.]/g, '-').toLowerCase()}-old`;
      await kubernetes.create(
        paths.secrets(namespace),
        secretOf({ namespace, environment }, aside, { [RECORD]: record }),
      );
      await change(({ [RECORD]: _moved, ...rest }) => rest);
      return `Secret ${namespace}/${aside}`;
    },
    waiting: {
      read: async () => {
        const text = (await fields())[WAITING];
        return text === undefined ? undefined : decoded(text);
      },
      write: async (text) => {
        const { [WAITING]: known } = await fields();
        if (text === undefined && known === undefined) return;
        await change(({ [WAITING]: _before, ...rest }) =>
          text === undefined ? rest : { ...rest, [WAITING]: encoded(text) },
        );
      },
    },
    attempt: {
      path: `${place}, key ${NOTE}`,
      by: async () => noteOf(await fields())?.host,
      begin: (cluster) =>
        change((data) => ({
          ...data,
          [NOTE]: encoded(JSON.stringify({ cluster, at: new Date().toISOString(), host: hostname() })),
        })),
      began: async () => (await fields())[NOTE] !== undefined,
      end: async () => {
        if ((await fields())[NOTE] !== undefined) await change(({ [NOTE]: _done, ...rest }) => rest);
      },
    },
  };
}

function dataOf(object: KubernetesObject | undefined): Record<string, string> {
  return secretSchema.parse(object ?? {}).data ?? {};
}

function decoded(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

function noteOf(data: Readonly<Record<string, string>>): z.infer<typeof noteSchema> | undefined {
  const note = data[NOTE];
  return note === undefined ? undefined : noteSchema.parse(JSON.parse(decoded(note)));
}

/** Whether the API server may answer in a moment. */
function isAway(error: unknown): boolean {
  return (
    error instanceof UnreachableError ||
    (error instanceof KubernetesError && (error.status === 429 || error.status >= 500))
  );
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

function secretOf({ namespace, environment }: Place, name: string, data: Record<string, string>): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name,
      namespace,
      labels: { [MANAGED_BY_LABEL]: MANAGED_BY, ...(environment === undefined ? {} : { [OWNER_LABEL]: environment }) },
    },
    data,
  };
}

async function ensureNamespace(kubernetes: Pick<KubernetesClient, 'get' | 'apply'>, namespace: string): Promise<void> {
  if (await kubernetes.get(paths.namespace(namespace))) return;
  await kubernetes.apply(paths.namespace(namespace), {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      labels: { [MANAGED_BY_LABEL]: MANAGED_BY },
      annotations: { 'ananta.dev/purpose': 'Records of the deployer' },
    },
  });
}
