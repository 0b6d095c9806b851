/** Evidence of a failure, kept on the worker's machine before anything else happens to the pods. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clients } from '../../clients/index.ts';
import { allReleases } from '../../plan/releases.ts';
import type { Release } from '../release/recover.ts';
import { registerAllSecrets } from '../vault/register-all.ts';
import { asSummary, asText, gather, type ReleaseEvidence } from './sections.ts';

export interface EvidenceRequest {
  runId: string;
  /** Name of the file, without its ending. */
  title: string;
  releases: readonly Release[];
  /** Why it is collected. */
  reason: string;
}

const BY_PATTERN =
  'Vault is not open: values in logs and events are hidden where they look like secrets or stand in Kubernetes Secrets; others may be left. Keep this file to yourself.';
const NO_LOGS =
  'The end of the log is in the evidence file alone: Vault is not open, so values in it cannot all be recognised.';
const MOST_LINES = 8;
const HELM_LOG_LINES = 40;

/** @returns the file, and up to 8 lines of it for a terminal; both without secret values */
export async function writeEvidence(
  clients: Pick<Clients, 'environment' | 'kubernetes' | 'helm' | 'vault' | 'catalog' | 'connections' | 'redactor'>,
  request: EvidenceRequest,
  signal: AbortSignal,
): Promise<{ evidence: string; summary: string[] }> {
  const { kubernetes, helm, connections, redactor } = clients;
  // Logs of the services themselves may hold anything.
  const [gathered, known] = await Promise.all([
    Promise.all(request.releases.map((release) => gather(kubernetes, release, neighboursOf(clients, release), signal))),
    registerAllSecrets(clients, signal),
  ]);
  const helmLogs = await Promise.all(
    request.releases.map(async ({ name }) => {
      const text = await readFile(helm.logFile(name), 'utf8').catch(() => '');
      return text === ''
        ? []
        : [`## Helm's last words on ${name}`, ...text.trimEnd().split('\n').slice(-HELM_LOG_LINES), ''];
    }),
  );
  const text = [
    `# ${request.title}: ${request.reason}`,
    `Collected ${new Date().toISOString()}`,
    ...(known ? [] : [BY_PATTERN]),
    '',
    ...gathered.map(asText),
    ...helmLogs.flat(),
  ].join('\n');
  const folder = join(connections.stateDir, 'evidence', request.runId);
  const file = join(folder, `${request.title}.txt`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(file, redactor.redactForeign(text), { mode: 0o600 });
  const clean = (line: string): string => redactor.redactForeign(line);
  // The summary goes into the engine's history, where nobody can take anything back.
  const summary = known
    ? asSummary(gathered, MOST_LINES, clean)
    : [...asSummary(gathered.map(withoutLogs), MOST_LINES - 1, clean), NO_LOGS];
  return { evidence: file, summary };
}

function withoutLogs(evidence: ReleaseEvidence): ReleaseEvidence {
  return { ...evidence, logs: [] };
}

/** Names of the other releases in its namespace, whose events are not its own. */
export function neighboursOf({ catalog }: Pick<Clients, 'catalog'>, { namespace, name }: Release): string[] {
  return allReleases(catalog)
    .filter((other) => other.namespace === namespace && other.name !== name)
    .map((other) => other.name);
}
