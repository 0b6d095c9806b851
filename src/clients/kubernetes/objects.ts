/** The parts of Kubernetes objects we rely on, checked where they come in. Everything else passes through untouched. */
import { z } from 'zod';

export const metadataSchema = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string().default(''),
  resourceVersion: z.string().default(''),
  generation: z.number().optional(),
  creationTimestamp: z.string().nullish(),
  deletionTimestamp: z.string().nullish(),
  labels: z.record(z.string(), z.string()).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});
export const objectSchema = z.looseObject({
  kind: z.string().optional(),
  apiVersion: z.string().optional(),
  metadata: metadataSchema,
});
export type KubernetesObject = z.infer<typeof objectSchema>;
export type ObjectMetadata = z.infer<typeof metadataSchema>;

export const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string().default(''), continue: z.string().optional() }),
  items: z
    .array(objectSchema)
    .nullish()
    .transform((items) => items ?? []),
});
export type KubernetesList = z.infer<typeof listSchema>;

const managedFieldSchema = z.object({
  manager: z.string().default(''),
  operation: z.string().default(''),
  time: z.string().nullish(),
  subresource: z.string().optional(),
});
export type ManagedField = z.infer<typeof managedFieldSchema>;

/** Who wrote which part last; empty where the server keeps no such record. */
export function managersOf(object: { metadata: ObjectMetadata }): ManagedField[] {
  const parsed = z.array(managedFieldSchema).safeParse(object.metadata['managedFields']);
  return parsed.success ? parsed.data : [];
}

export const HELM_RELEASE_ANNOTATION = 'meta.helm.sh/release-name';
export const INSTANCE = 'app.kubernetes.io/instance';

/**
 * The release an object belongs to: Helm's own mark first, the instance label where Helm did not write the object
 * itself (pods).
 */
export function releaseOf(object: KubernetesObject): string | undefined {
  return object.metadata.annotations?.[HELM_RELEASE_ANNOTATION] ?? object.metadata.labels?.[INSTANCE];
}

const secretSchema = z.object({ data: z.record(z.string(), z.string()).nullish() });

/** What a Secret holds by its keys, as text; nothing where there is none. Bytes that are no text become U+FFFD. */
export function decodedData(secret: KubernetesObject | undefined): Record<string, string> {
  const { data } = secretSchema.parse(secret ?? {});
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, encoded]) => [key, Buffer.from(encoded, 'base64').toString('utf8')]),
  );
}

/** Which of two states of one object is the later one. Versions of one API server are ever growing numbers. */
export function later(a: KubernetesObject, b: KubernetesObject): KubernetesObject {
  return numeric(b.metadata.resourceVersion) >= numeric(a.metadata.resourceVersion) ? b : a;
}

function numeric(version: string): bigint {
  return /^\d+$/.test(version) ? BigInt(version) : 0n;
}
