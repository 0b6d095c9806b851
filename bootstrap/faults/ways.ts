/**
 * Ways of an environment's worker and commands to its API server and engine that can be cut, held up, slowed down, and
 * on which answers of the API server are others. As long as they stand, `runtime.json` has their addresses.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Runtime } from '../../src/environment/connections.ts';
import { pkiFolder } from '../cluster/index.ts';
import type { Layout } from '../layout.ts';
import { privateFolder, readText, writeFileDurably } from '../process/files.ts';
import { readPorts } from '../process/ports.ts';
import { type ApiProxy, apiProxy } from './api-proxy.ts';
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts';

const waysSchema = z.strictObject({ apiServer: z.number().int(), engine: z.number().int() });

export interface Ways {
  apiServer: TcpProxy;
  engine: TcpProxy;
  /** Of the API server; undefined before anybody has asked it. */
  answers: () => ApiProxy | undefined;
  close: () => Promise<void>;
}

/** Before the environment's parts are started. */
export async function openWays(layout: Layout): Promise<Ways> {
  await privateFolder(layout.root);
  await privateFolder(layout.run);
  const portOf = async (name: string): Promise<number> => {
    const port = (await readPorts(layout.ports))[name];
    if (port === undefined) throw new Error(`${name} has no port yet`);
    return port;
  };
  let api: ApiProxy | undefined;
  let opening: Promise<ApiProxy> | undefined;
  // Made when it is first asked: until then the cluster has no certificates.
  const apiPort = async (): Promise<number> => {
    const port = await portOf('kube-apiserver');
    opening ??= apiProxy(() => port, pkiFolder(layout)).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    api = await opening;
    return api.port;
  };
  const apiServer = await tcpProxy(apiPort);
  const engine = await tcpProxy(() => portOf(ENGINE_PORT));
  await writeFileDurably(waysFile(layout), JSON.stringify({ apiServer: apiServer.port, engine: engine.port }));
  return {
    apiServer,
    engine,
    answers: () => api,
    close: async () => {
      await rm(waysFile(layout), { force: true });
      await Promise.all([apiServer.close(), engine.close(), opening?.then((proxy) => proxy.close())]);
    },
  };
}

/** @returns the same, with addresses of the ways where some stand */
export async function throughWays(layout: Layout, runtime: Runtime): Promise<Runtime> {
  const text = await readText(waysFile(layout));
  if (text === undefined) return runtime;
  const { apiServer, engine } = waysSchema.parse(JSON.parse(text));
  return {
    ...runtime,
    // What the cluster itself is told, such as its Vault, stays its own address.
    ...(runtime.cluster === undefined
      ? {}
      : { cluster: { ...runtime.cluster, kubeconfig: await kubeconfigThrough(layout, runtime.cluster, apiServer) } }),
    ...(runtime.engine === undefined ? {} : { engine: { ...runtime.engine, address: `127.0.0.1:${engine}` } }),
  };
}

async function kubeconfigThrough(
  layout: Layout,
  { kubeconfig, server }: NonNullable<Runtime['cluster']>,
  port: number,
): Promise<string> {
  const own = join(layout.run, 'kubeconfig-through-ways');
  const text = (await readFile(kubeconfig, 'utf8')).replaceAll(server, `https://127.0.0.1:${port}`);
  if ((await readText(own)) !== text) await writeFileDurably(own, text);
  return own;
}

const ENGINE_PORT = 'temporal';

function waysFile(layout: Layout): string {
  return join(layout.run, 'ways.json');
}
