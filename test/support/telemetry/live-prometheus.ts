/** A real Prometheus on this machine that scrapes workers and evaluates the rules of our chart. */
import { execFile, spawn } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { claimPorts } from '../../../bootstrap/process/ports.ts';
import { waitUntil } from '../../../bootstrap/process/wait.ts';
import { readConfig } from '../../../src/config.ts';

export type Series = { metric: Record<string, string>; value: number };

export interface LivePrometheus {
  url: string;
  /** An instant query, now. @throws what Prometheus says of an expression that it refuses */
  query: (expression: string) => Promise<Series[]>;
  /** State of each alert of the rules by its name: `inactive`, `pending`, `firing`. */
  alerts: () => Promise<Record<string, string>>;
  /** Scrapes that went well, of the target that had the fewest. */
  scrapes: () => Promise<number>;
  close: () => Promise<void>;
}

/** @returns undefined where the machine has none; Debian's package `prometheus` holds both */
export async function findProgram(name: 'prometheus' | 'promtool'): Promise<string | undefined> {
  for (const folder of (readConfig().childEnv['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/** The groups of the chart's PrometheusRule, as a file of rules for Prometheus itself. */
export function rulesFile(rendered: string): string {
  const rule = parseAllDocuments(rendered)
    .map((document) => document.toJS() as { kind?: string; spec?: { groups: unknown } } | null)
    .find((object) => object?.kind === 'PrometheusRule');
  if (rule?.spec === undefined) throw new Error('the chart renders no PrometheusRule');
  return stringify({ groups: rule.spec.groups });
}

/** promtool's own words where it refuses. */
export async function promtool(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args).catch((error: unknown) => {
    const { stdout: said, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`promtool ${args.join(' ')}:\n${said}${stderr}`);
  });
  return stdout;
}

const answerSchema = z.object({ status: z.string(), error: z.string().optional(), data: z.unknown() });
const vectorSchema = z.object({
  result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
});
const groupsSchema = z.object({
  groups: z.array(
    z.object({ rules: z.array(z.object({ name: z.string(), type: z.string(), state: z.string().optional() })) }),
  ),
});

/**
 * @param folder its own: configuration and what it keeps
 * @param targets addresses of workers
 * @param rules text of a file of rules
 */
export async function startPrometheus(
  program: string,
  folder: string,
  { targets, rules }: { targets: readonly string[]; rules: string },
): Promise<LivePrometheus> {
  await mkdir(folder, { recursive: true });
  const { web } = await claimPorts({ file: join(folder, 'ports.json'), names: ['web'], inUseByUs: new Set() });
  await writeFile(join(folder, 'rules.yaml'), rules);
  await writeFile(
    join(folder, 'prometheus.yaml'),
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yaml'],
      scrape_configs: [{ job_name: 'ananta', static_configs: [{ targets }] }],
    }),
  );
  const url = `http://127.0.0.1:${web}`;
  const child = spawn(
    program,
    [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${web}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));

  const ask = async (path: string, parameters: Record<string, string> = {}): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, { method: 'POST', body: new URLSearchParams(parameters) });
    const { status, error, data } = answerSchema.parse(await response.json());
    if (status !== 'success') throw new Error(`${parameters['query'] ?? path}: ${error ?? status}`);
    return data;
  };
  const query: LivePrometheus['query'] = async (expression) =>
    vectorSchema
      .parse(await ask('/api/v1/query', { query: expression }))
      .result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  };
  try {
    await waitUntil('Prometheus', { timeoutMs: 120_000 }, async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus does not start:\n${said}`);
      const ready = await fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      return ready || undefined;
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    query,
    alerts: async () => {
      const { groups } = groupsSchema.parse(await (await fetch(`${url}/api/v1/rules`)).json().then(dataOf));
      const alerting = groups.flatMap(({ rules: all }) => all).filter(({ type }) => type === 'alerting');
      return Object.fromEntries(alerting.map(({ name, state = '' }) => [name, state]));
    },
    scrapes: async () => {
      const counts = await query('count_over_time((up == 1)[1h:1s])');
      return counts.length < targets.length ? 0 : Math.min(...counts.map(({ value }) => value));
    },
    close,
  };
}

const dataOf = (answer: unknown): unknown => answerSchema.parse(answer).data;
