/** The embedded Temporal: the CLI's dev server with its database in a file. */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import { SEARCH_ATTRIBUTE_TYPES } from '../../src/contract/search-attribute-types.ts';
import { type Component, daemonSpec } from '../component.ts';
import type { Layout } from '../layout.ts';
import { readText, writeFileDurably } from '../process/files.ts';
import { GO_MEMORY } from '../process/go.ts';
import { LOOPBACK, type Ports } from '../process/ports.ts';
import { expectOk } from '../process/probe.ts';
import type { InstalledTool } from '../tools/index.ts';

export const ENGINE_PORTS = ['temporal', 'temporal-ui', 'temporal-http', 'temporal-metrics'] as const;

/**
 * The dev server keeps one history shard, and its queue readers load new tasks at most 20 times a second: once the
 * burst is used up, every step of every workflow waits 50 ms for its turn. Measured here, 20 activities in sequence:
 * 2.05 s as it comes, 0.39 s with the limits raised, 0.29 s when an activity is also handed to the worker together with
 * the workflow task that scheduled it.
 */
export const DYNAMIC_CONFIG: Readonly<Record<string, string>> = {
  'history.transferProcessorMaxPollRPS': '1000',
  'history.timerProcessorMaxPollRPS': '1000',
  'history.visibilityProcessorMaxPollRPS': '1000',
  'system.enableActivityEagerExecution': 'true',
};

/** How long the history of a finished deployment can be looked at; the dev server's own is a day. */
const RETENTION_DAYS = 90;

/** Claimed only where histories are encrypted. */
export const CODEC_PORT = 'temporal-codec';

const TOKEN_BYTES = 24;

/**
 * Where `codec serve` answers on this machine, and only to those who know the whole address, which the UI is started
 * with. It stays the same, so that the UI need not be started again.
 */
export async function codecEndpoint(layout: Layout, ports: Ports): Promise<string> {
  const file = join(layout.engine, 'codec-token');
  const known = (await readText(file))?.trim();
  const token = known ?? randomBytes(TOKEN_BYTES).toString('base64url');
  if (known === undefined) await writeFileDurably(file, `${token}\n`);
  return `http://${LOOPBACK}:${ports[CODEC_PORT]}/${token}`;
}

export function engineAddresses(ports: Ports): { address: string; uiAddress: string; httpAddress: string } {
  return {
    address: `${LOOPBACK}:${ports['temporal']}`,
    uiAddress: `http://${LOOPBACK}:${ports['temporal-ui']}`,
    httpAddress: `http://${LOOPBACK}:${ports['temporal-http']}`,
  };
}

/** @param codec where the UI has encrypted payloads decrypted, by the browser of whoever looks */
export function engineComponent(layout: Layout, tool: InstalledTool, ports: Ports, codec?: string): Component {
  const port = ports['temporal'] as number;
  return {
    name: 'temporal',
    standstillMs: 60_000,
    graceMs: 10_000,
    prepare: () => prepareEngine(layout),
    spec: daemonSpec(layout, 'temporal', {
      command: tool.path,
      args: [
        'server',
        'start-dev',
        '--ip',
        LOOPBACK,
        '--port',
        String(port),
        '--ui-ip',
        LOOPBACK,
        '--ui-port',
        String(ports['temporal-ui']),
        '--http-port',
        String(ports['temporal-http']),
        '--metrics-port',
        String(ports['temporal-metrics']),
        '--db-filename',
        databaseFile(layout),
        // A committed transaction survives the death of the process; only a power cut can take the last moments.
        '--sqlite-pragma',
        'journal_mode=wal',
        '--sqlite-pragma',
        'synchronous=normal',
        // At the start, since a namespace made later is known everywhere in the server only after seconds.
        '--namespace',
        ENGINE_NAMESPACE,
        ...(codec === undefined ? [] : ['--ui-codec-endpoint', codec]),
        ...Object.entries(DYNAMIC_CONFIG).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
        '--log-level',
        'warn',
        '--color',
        'never',
      ],
      // Its own home: the CLI reads and writes configuration there.
      env: { HOME: layout.engine, PATH: '', ...GO_MEMORY },
      cwd: layout.engine,
      version: tool.version,
      port,
    }),
    check: engineCheck(ports),
  };
}

export function engineCheck(ports: Ports): () => Promise<string> {
  return async () => {
    await expectOk({ url: `${engineAddresses(ports).httpAddress}/api/v1/system-info` });
    return `UI at ${engineAddresses(ports).uiAddress}`;
  };
}

function databaseFile(layout: Layout): string {
  return join(layout.engine, 'temporal.db');
}

/**
 * Before the first start. A server that was killed while it made its tables leaves a database that no later one can
 * use: unless one was ever ready, what is there is put aside.
 */
async function prepareEngine(layout: Layout): Promise<void> {
  await mkdir(layout.engine, { recursive: true, mode: 0o700 });
  if ((await readText(readyMarker(layout))) !== undefined) return;
  for (const suffix of ['', '-wal', '-shm']) {
    await rm(`${databaseFile(layout)}.unfinished${suffix}`, { force: true });
    await rename(`${databaseFile(layout)}${suffix}`, `${databaseFile(layout)}.unfinished${suffix}`).catch(
      () => undefined,
    );
  }
}

/**
 * Once it answers: namespace and search attributes, and the note that the database is whole. Does nothing when this was
 * done before, so that only the first `up` loads the client.
 */
export async function setUpEngine(layout: Layout, ports: Ports): Promise<void> {
  const wanted = JSON.stringify({
    namespace: ENGINE_NAMESPACE,
    retentionDays: RETENTION_DAYS,
    searchAttributes: SEARCH_ATTRIBUTE_TYPES,
  });
  if ((await readText(readyMarker(layout))) === wanted) return;
  const { ensureEngine } = await import('../../src/clients/temporal/connection/setup.ts');
  await ensureEngine(
    { address: engineAddresses(ports).address, namespace: ENGINE_NAMESPACE },
    { retentionDays: RETENTION_DAYS, ours: true },
  );
  await writeFileDurably(readyMarker(layout), wanted);
}

function readyMarker(layout: Layout): string {
  return join(layout.engine, 'ready');
}
