/** What Helm itself keeps of a revision: manifest, chart, values, hooks; decoded from its Secret. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
import { z } from 'zod';
import type { KubernetesClient } from '../kubernetes/index.ts';
import { paths } from '../kubernetes/index.ts';

const unzip = promisify(gunzip);
const secretSchema = z.object({ data: z.object({ release: z.string() }) });

const hookSchema = z.looseObject({
  name: z.string(),
  kind: z.string(),
  path: z.string().default(''),
  manifest: z.string().default(''),
  events: z
    .array(z.string())
    .nullish()
    .transform((events) => events ?? []),
});

export const storedReleaseSchema = z.looseObject({
  name: z.string(),
  namespace: z.string(),
  /** Revision. */
  version: z.number().int(),
  /** YAML of all objects, hooks apart. */
  manifest: z.string().default(''),
  chart: z.looseObject({
    metadata: z.looseObject({ name: z.string(), version: z.string(), appVersion: z.string().optional() }),
    /** Files of the chart that are no templates, its definitions among them; content in base64. */
    files: z
      .array(z.looseObject({ name: z.string(), data: z.string().default('') }))
      .nullish()
      .transform((files) => files ?? []),
  }),
  /** Values that were given; holds references to secrets at most. */
  config: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((config) => config ?? {}),
  info: z.looseObject({
    first_deployed: z.string().optional(),
    last_deployed: z.string().optional(),
    deleted: z.string().optional(),
    description: z.string().optional(),
    status: z.string().optional(),
  }),
  hooks: z
    .array(hookSchema)
    .nullish()
    .transform((hooks) => hooks ?? []),
});
export type StoredRelease = z.infer<typeof storedReleaseSchema>;

/** Helm's record of a revision is not what Helm writes. Its objects run on; the message says the way out. */
export class DamagedRecordError extends AnantaError {
  override name = 'DamagedRecordError';
  override readonly type = FAILURES.damagedRecord;
  override readonly exitCode = EXIT_CODES.refused;

  constructor({ namespace, name, revision }: { namespace: string; name: string; revision: number }, cause: unknown) {
    const secret = helmSecretName(name, revision);
    super(
      [
        `Helm's record of revision ${revision} of ${namespace}/${name} cannot be read: Secret ${namespace}/${secret} does not hold what Helm writes. The objects of the release run on, and stay.`,
        'Ways on: put the Secret back from a backup of the cluster; or set this one record aside and deploy again, which takes over what is there:',
        `  kubectl --namespace ${namespace} get secret ${secret} --output yaml > ${secret}.yaml`,
        `  kubectl --namespace ${namespace} delete secret ${secret}   (the record alone: nothing that runs, and no data)`,
      ].join('\n'),
      { cause },
    );
  }
}

/**
 * One revision as Helm recorded it.
 * @returns undefined when Helm has no such revision (any more)
 * @throws DamagedRecordError
 */
export async function readStoredRelease(
  kubernetes: Pick<KubernetesClient, 'get'>,
  namespace: string,
  name: string,
  revision: number,
  signal?: AbortSignal,
): Promise<StoredRelease | undefined> {
  const secret = await kubernetes.get(paths.secret(namespace, helmSecretName(name, revision)), signal);
  if (secret === undefined) return undefined;
  try {
    return await decodeStoredRelease(secretSchema.parse(secret).data.release);
  } catch (error) {
    throw new DamagedRecordError({ namespace, name, revision }, error);
  }
}

/** Of the Secret that holds a revision. */
export function helmSecretName(release: string, revision: number): string {
  return `sh.helm.release.v1.${release}.v${revision}`;
}

/** @param data the Secret's `release` as the API server gives it: base64 of base64 of gzipped JSON */
export async function decodeStoredRelease(data: string): Promise<StoredRelease> {
  return storedReleaseSchema.parse(await unpackStoredRelease(data));
}

/** The same exactly as Helm wrote it: for a hash over it. @throws Error when it is damaged */
export async function unpackStoredRelease(data: string): Promise<Record<string, unknown>> {
  const packed = Buffer.from(Buffer.from(data, 'base64').toString('latin1'), 'base64');
  const text = packed[0] === 0x1f && packed[1] === 0x8b ? await unzip(packed) : packed;
  return z.record(z.string(), z.unknown()).parse(JSON.parse(text.toString('utf8')));
}
