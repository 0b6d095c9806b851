/** Kubernetes' own schemas of its kinds, as the pinned API server publishes them (scripts/kubernetes-schemas.ts). */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export const SCHEMAS_FILE = fileURLToPath(new URL('kubernetes.json', import.meta.url));

/** The part of OpenAPI that describes values of Kubernetes. */
export interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  enum?: readonly unknown[];
  required?: readonly string[];
  properties?: Readonly<Record<string, Schema>>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: readonly string[];
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  /** Of definitions that charts bring along, beyond types. */
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
}

export interface Schemas {
  version: string;
  /** `apps/v1/Deployment` to its definition. */
  kinds: Readonly<Record<string, string>>;
  definitions: Readonly<Record<string, Schema>>;
}

export async function readSchemas(): Promise<Schemas> {
  return JSON.parse(await readFile(SCHEMAS_FILE, 'utf8')) as Schemas;
}
