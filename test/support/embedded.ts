/**
 * Real embedded environments for tests: own state folder, own environment file on top of the sandbox's, everything
 * removed afterwards.
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type LocalStackEvent,
  type ComponentState,
  type Layout,
  type UpOptions,
  componentStates,
  down,
  layoutOf,
  superviseWhile,
  up,
} from '../../bootstrap/index.ts';
import { type Api, openApi } from '../../bootstrap/cluster/index.ts';
import type { Catalog, CatalogInput } from '../../src/catalog/schema.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { type Connections, type Runtime, resolveConnections } from '../../src/environment/connections.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { loadPlatform } from '../../src/environment/platform.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { shareCaches } from './caches.ts';
import { miniWith } from './mini.ts';

export interface EmbeddedOptions {
  /** Name of the environment. */
  name?: string;
  /** Keys of the environment file, on top of the sandbox's; for example `{ simulation: { factor: 0.01 } }`. */
  environment?: Record<string, unknown>;
  /** Its platform is the small one, with what this changes in its description. */
  mini?: (description: CatalogInput) => void;
  /** Whether the product's worker is started, too; tests often bring their own. */
  worker?: boolean;
  /** Kept after the test, with everything in it stopped; made if it is missing. A temporary one otherwise. */
  stateRoot?: string;
  /** False to prepare everything but start nothing. */
  start?: boolean;
}

export interface Embedded {
  config: Config;
  environment: Environment;
  /** Of its platform. */
  catalog: Catalog;
  layout: Layout;
  /** What the start of the local stack has reported so far. */
  events: LocalStackEvent[];
  /** @throws when it was never started */
  runtime(): Runtime;
  connections(): Promise<Connections>;
  states(): Promise<ComponentState[]>;
  up(options?: UpOptions): Promise<Runtime>;
  down(): Promise<void>;
  /** Restarts what dies until the returned function is called. */
  supervise(): () => Promise<void>;
  /** The API server, as the local stack itself talks to it; closed with the environment. */
  api(): Promise<Api>;
  /** Stops everything and removes the temporary folders. */
  close(): Promise<void>;
}

export async function openEmbedded(options: EmbeddedOptions = {}): Promise<Embedded> {
  const name = options.name ?? 'test';
  const read = readConfig();
  const folder = await mkdtemp(join(tmpdir(), 'ananta-test-'));
  const environmentsDir = join(folder, 'environments');
  await cp(read.environmentsDir, environmentsDir, { recursive: true });
  const platform = options.mini === undefined ? {} : { platform: await miniWith(options.mini, folder) };
  const file = { description: 'Made by a test', ...platform, ...options.environment, extends: 'sandbox' };
  // JSON is YAML.
  if (name !== 'sandbox') await writeFile(join(environmentsDir, `${name}.yaml`), JSON.stringify(file));
  const stateRoot = options.stateRoot ?? join(folder, 'state');
  await mkdir(stateRoot, { recursive: true });
  if (options.stateRoot === undefined) await shareCaches(stateRoot);
  const config: Config = { ...read, stateRoot, environmentsDir };
  const environment = await loadEnvironment(name, config);
  const catalog = await loadPlatform(environment, config);
  const events: LocalStackEvent[] = [];
  const apis: Api[] = [];
  const layout = layoutOf(config, name);
  let runtime: Runtime | undefined;

  const embedded: Embedded = {
    config,
    environment,
    catalog,
    layout,
    events,
    runtime: () => {
      if (runtime === undefined) throw new Error('the embedded environment was not started');
      return runtime;
    },
    connections: () => resolveConnections(environment, config),
    states: () => componentStates(environment, config),
    up: async (upOptions = {}) => {
      runtime = await up(environment, config, (event) => events.push(event), {
        worker: options.worker ?? false,
        ...upOptions,
      });
      return runtime;
    },
    down: async () => {
      await down(name, config, (event) => events.push(event));
    },
    supervise: () => {
      const ended = new AbortController();
      const watching = superviseWhile(environment, config, ended.signal, (event) => events.push(event));
      return async () => {
        ended.abort();
        await watching;
      };
    },
    api: async () => {
      const api = await openApi(layout);
      apis.push(api);
      return api;
    },
    close: async () => {
      for (const api of apis) api.close();
      await embedded.down();
      await rm(folder, { recursive: true, force: true });
    },
  };
  if (options.start === false) return embedded;
  try {
    await embedded.up();
    return embedded;
  } catch (error) {
    await embedded.close();
    throw error;
  }
}

/** Runs `fn` in an embedded environment that is started before and removed after it, whatever happens. */
export async function withEmbedded<T>(options: EmbeddedOptions, fn: (embedded: Embedded) => Promise<T>): Promise<T> {
  const embedded = await openEmbedded(options);
  try {
    return await fn(embedded);
  } finally {
    await embedded.close();
  }
}
