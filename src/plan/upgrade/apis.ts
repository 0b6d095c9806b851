/** Versions of Kubernetes' own APIs that go away: data, made by scripts/removed-apis.ts. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export const APIS_FILE = fileURLToPath(new URL('apis.json', import.meta.url));

const lifecycleSchema = z.object({
  /** `policy/v1beta1` */
  apiVersion: z.string(),
  kind: z.string(),
  /** Minor version of Kubernetes 1 from which on it warns. */
  deprecated: z.number().int().optional(),
  /** From which on it is not served. */
  removed: z.number().int().optional(),
  /** The API version to use in its place: `policy/v1`, with the kind where it is another one. */
  use: z.string().optional(),
});
export type ApiLifecycle = z.infer<typeof lifecycleSchema>;

const fileSchema = z.object({ source: z.string(), apis: z.array(lifecycleSchema) });
type ApiLifecycles = z.infer<typeof fileSchema>;

export async function readApiLifecycles(): Promise<ApiLifecycles> {
  return fileSchema.parse(JSON.parse(await readFile(APIS_FILE, 'utf8')));
}
