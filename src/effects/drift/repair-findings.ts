/**
 * What no release repairs: fields that somebody has added are taken out, each only as long as it is what was found;
 * definitions are made again from the chart that brought them. What the API server refuses is said, and keeps nothing
 * else from being repaired.
 */
import type { Clients } from '../../clients/index.ts';
import {
  type JsonPatchOperation,
  type KubernetesClient,
  KubernetesError,
  pathOfKind,
  paths,
} from '../../clients/kubernetes/index.ts';
import { readStoredRelease } from '../../clients/helm/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import { isSystem, managedEntries, ownedPaths } from '../../plan/fields/managed.ts';
import { isTheirs } from '../../plan/fields/places.ts';
import { isWithin, type Path, pathText, pointerOf, valueAtPath } from '../../plan/fields/path.ts';
import { definitionNames } from '../../plan/drift/manifest.ts';
import type { Fingerprint } from '../../plan/diff/sensitive.ts';
import { readFingerprint } from '../vault/proofs.ts';
import { valueDigest } from '../../plan/drift/text.ts';
import { findRelease } from '../../plan/releases.ts';
import { awaitEstablished } from '../release/definitions/crds.ts';
import { newestRevision } from '../release/revisions.ts';
import type { EffectScope } from '../effect.ts';
import { definitionFiles, definitionIn } from './definitions.ts';

const ATTEMPTS = 5;
const DEFINITION = 'CustomResourceDefinition ';

export async function repairFindings(
  clients: Clients,
  { findings }: InputOf<'repairFindings'>,
  scope: EffectScope,
): OutputOf<'repairFindings'> {
  const ours = findings.filter(({ repair, area }) => repair === 'field' && area === 'kubernetes');
  if (ours.length === 0) return { repaired: [] };
  scope.doing('takes out what does not belong there');

  const ofChart = (finding: DriftFinding): boolean => finding.object.startsWith(DEFINITION) && finding.kind !== 'extra';
  const repaired: string[] = [];
  const refused: string[] = [];
  const attempt = async (what: string, work: () => Promise<string[]>): Promise<void> => {
    try {
      repaired.push(...(await work()));
    } catch (error) {
      scope.signal.throwIfAborted();
      if (!isRefusal(error)) throw error;
      refused.push(clients.redactor.redact(`${what} could not be repaired: ${error.message}`));
    }
  };
  for (const [release, group] of Map.groupBy(ours.filter(ofChart), (finding) => finding.release ?? '')) {
    await attempt(`Definitions of ${release}`, () => restoreDefinitions(clients, release, group, scope.signal));
  }
  const fields = Map.groupBy(
    ours.filter((finding) => !ofChart(finding)),
    ({ object }) => object,
  );
  const fingerprint = await readFingerprint(clients);
  for (const [object, group] of fields)
    await attempt(object, () => removeFields(clients.kubernetes, object, group, fingerprint, scope.signal));
  return { repaired, ...(refused.length > 0 ? { refused } : {}) };
}

/** Trying again would bring the same answer: no right to, or it is not valid without. */
function isRefusal(error: unknown): error is KubernetesError {
  return (
    error instanceof KubernetesError &&
    error.status >= 400 &&
    error.status < 500 &&
    ![401, 408, 429].includes(error.status)
  );
}

/**
 * @returns keys of findings whose fields are gone now; what has changed since it was found is left for the next survey
 */
async function removeFields(
  kubernetes: Pick<KubernetesClient, 'kinds' | 'get' | 'patch'>,
  object: string,
  findings: readonly DriftFinding[],
  fingerprint: Fingerprint,
  signal: AbortSignal,
): Promise<string[]> {
  const path = await addressOf(kubernetes, object, signal);
  if (path === undefined) return [];
  for (let attempt = 1; ; attempt += 1) {
    const live = await kubernetes.get(path, signal);
    if (live === undefined) return findings.map(({ key }) => key);
    const wanted = fieldsIn(live, findings, fingerprint);
    // Taken out one after the other, so that what is further back in a list goes first.
    const operations = wanted
      .toSorted((a, b) => b.pointer.localeCompare(a.pointer, 'en', { numeric: true }))
      .flatMap(({ pointer, value }): JsonPatchOperation[] => [
        { op: 'test', path: pointer, value },
        { op: 'remove', path: pointer },
      ]);
    const gone = findings
      .filter(({ field }) => !writtenFields(kindOf(object), live).some((written) => pathText(written) === field))
      .map(({ key }) => key);
    if (operations.length === 0) return gone;
    try {
      await kubernetes.patch(
        path,
        [{ op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion }, ...operations],
        signal,
      );
      return [...gone, ...wanted.map(({ key }) => key)];
    } catch (error) {
      // Somebody has changed the object meanwhile: it is looked at again.
      if (!(error instanceof KubernetesError) || ![409, 422].includes(error.status) || attempt >= ATTEMPTS) throw error;
    }
  }
}

function fieldsIn(
  live: unknown,
  findings: readonly DriftFinding[],
  fingerprint: Fingerprint,
): { key: string; pointer: string; value: unknown }[] {
  const written = writtenFields(kindOf(findings[0]?.object ?? ''), live);
  return findings.flatMap(({ key, object, field, valueDigest: digest }) => {
    const path = written.find((candidate) => pathText(candidate) === field);
    const pointer = path && pointerOf(live, path);
    const value = path && valueAtPath(live, path);
    return pointer === undefined || valueDigest(kindOf(object), path ?? [], value, fingerprint) !== digest
      ? []
      : [{ key, pointer, value }];
  });
}

/**
 * Every field that somebody has written and that is there, with all that it stands in. What is theirs to keep, such as
 * a finalizer, is not among them, whatever a finding says, and neither is anything that holds it.
 */
function writtenFields(kind: string, live: unknown): Path[] {
  const leaves = managedEntries(live)
    .filter((entry) => !isSystem(entry))
    .flatMap((entry) => ownedPaths(entry.fieldsV1));
  const kept = leaves.filter((path) => isTheirs(kind, path));
  return leaves
    .flatMap((path) => path.map((_part, at) => path.slice(0, path.length - at)))
    .filter((path) => valueAtPath(live, path) !== undefined && !kept.some((leaf) => isWithin(leaf, path)));
}

/** `Deployment ns/name` → `Deployment`. */
function kindOf(object: string): string {
  return object.split(' ')[0] ?? '';
}

async function addressOf(
  kubernetes: Pick<KubernetesClient, 'kinds'>,
  object: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [kind, where = ''] = object.split(' ');
  const [first = '', name] = where.split('/');
  const { kinds } = await kubernetes.kinds(signal);
  const candidates = kinds.filter(
    (candidate) =>
      candidate.kind === kind && candidate.namespaced === (name !== undefined) && candidate.verbs.includes('patch'),
  );
  // A definition of somebody may bear the name of one of Kubernetes' own kinds.
  const known = candidates.find(({ group }) => !group.includes('.') || group.endsWith('.k8s.io')) ?? candidates[0];
  return known && (name === undefined ? `${pathOfKind(known)}/${first}` : `${pathOfKind(known, first)}/${name}`);
}

async function restoreDefinitions(
  { kubernetes, catalog }: Clients,
  releaseName: string,
  findings: readonly DriftFinding[],
  signal: AbortSignal,
): Promise<string[]> {
  const { namespace } = findRelease(catalog, releaseName);
  const newest = await newestRevision(kubernetes, namespace, releaseName, signal);
  const stored = newest && (await readStoredRelease(kubernetes, namespace, releaseName, newest.revision, signal));
  const files = stored ? definitionFiles(stored) : [];
  const names = [...new Set(findings.map(({ object }) => object.slice(DEFINITION.length)))];
  const found = names.flatMap((name) => {
    const yaml = files.find((text) => definitionNames(text).includes(name));
    const object = yaml === undefined ? undefined : definitionIn(yaml, name);
    return object === undefined ? [] : [{ name, object }];
  });
  await Promise.all(
    found.map(({ name, object }) =>
      kubernetes.apply(paths.customResourceDefinition(name), object, { force: true }, signal),
    ),
  );
  await awaitEstablished(
    kubernetes,
    found.map(({ name }) => name),
    signal,
  );
  return findings
    .filter(({ object }) => found.some(({ name }) => object === `${DEFINITION}${name}`))
    .map(({ key }) => key);
}
