/**
 * The keys in a Secret of the cluster, where a worker that lives there finds them. The API server's answer is what
 * makes them durable.
 */
import { z } from 'zod';
import { MANAGED_BY, MANAGED_BY_LABEL } from '../../contract/names.ts';
import { type KubernetesClient, KubernetesError, type KubernetesObject, paths } from '../kubernetes/index.ts';
import type { Redactor } from '../redact.ts';
import { type KeyStore, learnKeys, parseKeys } from './keys.ts';

const secretSchema = z.object({ data: z.record(z.string(), z.string()).nullish() });
const RECORD = 'keys.json';
const NOTE = 'init-began';
const WAITING = 'supplied.json';
const ATTEMPTS = 5;

/** The namespace is made when it is missing; nothing else of it is touched. */
export function createKeySecret(
  kubernetes: Pick<KubernetesClient, 'get' | 'create' | 'replace' | 'apply'>,
  { namespace, name }: { namespace: string; name: string },
  redactor: Redactor,
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
          await kubernetes.create(paths.secrets(namespace), secretOf(namespace, name, data));
        }
        return;
      } catch (error) {
        if (!(error instanceof KubernetesError) || error.status !== 409 || attempt >= ATTEMPTS) throw error;
      }
    }
  };

  return {
    path: place,
    read: async () => {
      const record = (await fields())[RECORD];
      return record === undefined
        ? undefined
        : parseKeys(Buffer.from(record, 'base64').toString('utf8'), place, redactor);
    },
    write: async (keys) => {
      learnKeys(keys, redactor);
      await change((data) => ({ ...data, [RECORD]: encoded(JSON.stringify(keys)) }));
    },
    putAside: async () => {
      const record = (await fields())[RECORD];
      if (record === undefined) return place;
      const aside = `${name}-${new Date().toISOString().replaceAll(/[:.]/g, '-').toLowerCase()}-old`;
      await kubernetes.create(paths.secrets(namespace), secretOf(namespace, aside, { [RECORD]: record }));
      await change(({ [RECORD]: _moved, ...rest }) => rest);
      return `Secret ${namespace}/${aside}`;
    },
    waiting: {
      read: async () => {
        const text = (await fields())[WAITING];
        return text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');
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
      begin: (cluster) =>
        change((data) => ({ ...data, [NOTE]: encoded(JSON.stringify({ cluster, at: new Date().toISOString() })) })),
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

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

function secretOf(namespace: string, name: string, data: Record<string, string>): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name, namespace, labels: { [MANAGED_BY_LABEL]: MANAGED_BY } },
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
