/**
 * The few requests that the local stack makes to the API server of its own cluster. Not the Kubernetes client:
 * importing that takes half a second, and `up` has to be quick.
 */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AnantaError } from '../../src/contract/errors.ts';

export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

export interface Api {
  /** @throws ApiError unless the answer is 2xx */
  request(method: string, path: string, body?: { type: string; content: unknown }): Promise<unknown>;
  /** Server-side apply, conflicts forced: these objects are ours. */
  apply(object: ApiObject): Promise<void>;
  /** Not there is fine. */
  remove(object: Pick<ApiObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<void>;
  close(): void;
}

export class ApiError extends AnantaError {
  override name = 'ApiError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Not renamed: objects of clusters that exist are managed under this name. */
const FIELD_MANAGER = 'ananta-bootstrap';

/** Plural names of the kinds that the local stack makes. */
const PLURALS: Record<string, string> = {
  Node: 'nodes',
  Namespace: 'namespaces',
  StorageClass: 'storageclasses',
  Stage: 'stages',
  ClusterPortForward: 'clusterportforwards',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
  MutatingAdmissionPolicy: 'mutatingadmissionpolicies',
  MutatingAdmissionPolicyBinding: 'mutatingadmissionpolicybindings',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Service: 'services',
  EndpointSlice: 'endpointslices',
};

/** @param pki kwokctl's folder of keys and certificates. @throws when it is not there */
export async function createApi(server: string, pki: string): Promise<Api> {
  const read = (name: string): Promise<Buffer> => readFile(join(pki, name));
  const [ca, cert, key] = await Promise.all([read('ca.crt'), read('admin.crt'), read('admin.key')]);
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ca, cert, key });
  const api: Api = {
    request: (method, path, body) => patiently(() => send(agent, `${server}${path}`, method, body)),
    apply: async (object) => {
      await api.request('PATCH', `${pathOf(object)}?fieldManager=${FIELD_MANAGER}&force=true`, {
        type: 'application/apply-patch+yaml',
        content: object,
      });
    },
    remove: async (object) => {
      await api.request('DELETE', pathOf(object)).catch((error: unknown) => {
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
      });
    },
    close: () => {
      agent.destroy();
    },
  };
  return api;
}

/** Path of a cluster-scoped or namespaced object. */
export function pathOf({ apiVersion, kind, metadata }: Pick<ApiObject, 'apiVersion' | 'kind' | 'metadata'>): string {
  const plural = PLURALS[kind];
  if (plural === undefined) throw new Error(`the local stack does not handle ${kind}`);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${root}${scope}/${plural}/${metadata.name}`;
}

/** For a moment after a definition was changed, the API server asks to come back later (429): nothing was done then. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let left = 50; ; left -= 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 429 || left === 0) throw error;
    }
    await sleep(100);
  }
}

function send(
  agent: Agent,
  url: string,
  method: string,
  body: { type: string; content: unknown } | undefined,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body.content);
    const headers =
      body === undefined ? {} : { 'content-type': body.type, 'content-length': Buffer.byteLength(content as string) };
    const asked = request(
      url,
      { agent, method, timeout: 15_000, headers: { accept: 'application/json', ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const status = response.statusCode ?? 0;
          if (status < 200 || status > 299) {
            reject(new ApiError(status, `${method} ${url} answered ${status}: ${messageOf(text)}`));
            return;
          }
          try {
            resolve(text === '' ? undefined : JSON.parse(text));
          } catch {
            resolve(text);
          }
        });
      },
    );
    asked.once('timeout', () => {
      asked.destroy(new Error(`${method} ${url}: no answer within 15 s`));
    });
    asked.once('error', reject);
    asked.end(content);
  });
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text.slice(0, 300);
  }
}
