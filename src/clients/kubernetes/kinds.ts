/**
 * Which kinds of objects the API server serves: asked, not known, so that kinds of anybody's definitions are among
 * them.
 */
import { z } from 'zod';
import { ask } from './ask.ts';
import { KubernetesError, UnreachableError } from './errors.ts';
import type { Transport } from './transport.ts';

export interface Kind {
  /** Empty for the core group. */
  group: string;
  version: string;
  kind: string;
  /** Plural, as it stands in addresses. */
  plural: string;
  namespaced: boolean;
  verbs: string[];
}

export interface Kinds {
  kinds: Kind[];
  /** Served versions whose server does not answer: what they alone hold cannot be seen. */
  silent: { group: string; version: string; reason: string }[];
}

const versionSchema = z.object({ groupVersion: z.string(), version: z.string() });
const groupSchema = z.object({
  name: z.string(),
  preferredVersion: versionSchema,
  versions: z.array(versionSchema).default([]),
});
type Group = z.infer<typeof groupSchema>;
const groupsSchema = z.object({ groups: z.array(groupSchema) });
const resourcesSchema = z.object({
  resources: z
    .array(
      z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean(), verbs: z.array(z.string()).default([]) }),
    )
    .nullish(),
});

/**
 * Each kind once: in its group's preferred version, or in the version that alone serves it; without subresources.
 */
export async function readKinds(transport: Pick<Transport, 'call'>, signal?: AbortSignal): Promise<Kinds> {
  const { groups } = await ask(transport, groupsSchema, { path: '/apis', signal });
  const silent: Kinds['silent'] = [];
  const read = async (group: string, version: string, path: string): Promise<Kind[]> => {
    const { resources } = await ask(transport, resourcesSchema, { path, signal });
    return (resources ?? [])
      .filter(({ name }) => !name.includes('/'))
      .map(({ name, ...kind }) => ({ group, version, plural: name, ...kind }));
  };
  const readGroup = async ({ name, preferredVersion, versions }: Group): Promise<Kind[]> => {
    const others = versions.filter(({ version }) => version !== preferredVersion.version);
    const found = await Promise.all(
      [preferredVersion, ...others].map(({ groupVersion, version }) =>
        read(name, version, `/apis/${groupVersion}`).catch((error: unknown) => {
          signal?.throwIfAborted();
          // A definition that has just gone, or an aggregated server that is down.
          if (!(error instanceof KubernetesError) && !(error instanceof UnreachableError)) throw error;
          if (!(error instanceof KubernetesError && error.status === 404))
            silent.push({ group: name, version, reason: error.message });
          return [];
        }),
      ),
    );
    const kinds = found.flat();
    return kinds.filter(({ plural }, at) => kinds.findIndex((first) => first.plural === plural) === at);
  };
  const found = await Promise.all([read('', 'v1', '/api/v1'), ...groups.map(readGroup)]);
  return { kinds: found.flat(), silent };
}

/** Address of all objects of a kind, or of those of one namespace. */
export function pathOfKind({ group, version, plural, namespaced }: Kind, namespace?: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespaced && namespace !== undefined ? `${root}/namespaces/${namespace}/${plural}` : `${root}/${plural}`;
}

/** `group/Kind`, whatever the version. */
export function kindKey(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''}/${kind}`;
}
