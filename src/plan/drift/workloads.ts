/** As applied, but not working: workloads without enough pods, Jobs that failed, volumes that go away. */
import type { DriftFinding } from '../../contract/drift.ts';
import { digestOf } from '../digest.ts';
import { persistentVolumeClaimHealth, workloadHealth, WORKLOAD_KINDS, type WorkloadKind } from '../health/index.ts';
import { type Subject, subjectText } from './ignore.ts';
import { type AppliedObject, keyOf } from './object.ts';
import { valueAtPath } from '../fields/path.ts';
import { cut } from './text.ts';

export function isWorkload(kind: string): kind is WorkloadKind {
  return (WORKLOAD_KINDS as readonly string[]).includes(kind);
}

/**
 * @param changed whether its specification has drifted as well: then what is in progress is the consequence of that
 * @param troubles what its pods say
 */
export function workloadFinding(
  applied: AppliedObject,
  live: unknown,
  changed: boolean,
  troubles: readonly string[],
): DriftFinding | undefined {
  if (!isWorkload(applied.kind) || valueAtPath(live, ['metadata', 'deletionTimestamp'])) return undefined;
  const { status, message } = workloadHealth({ kind: applied.kind, object: live });
  if (status === 'healthy' || (status === 'progressing' && changed)) return undefined;
  const failedJob = applied.kind === 'Job' && status === 'failed';
  const area = applied.kind === 'Job' ? 'job' : 'kubernetes';
  return {
    key: `${area}/${keyOf(applied)}#status`,
    kind: 'unhealthy',
    area,
    object: subjectText(applied),
    release: applied.release,
    ...(applied.service === undefined ? {} : { service: applied.service }),
    is: cut([message, ...troubles].join('; ')),
    valueDigest: digestOf([message]),
    ...(failedJob
      ? { repair: 'job' as const }
      : { note: 'it is as it was applied: look at its pods, with logs and events' }),
  };
}

/** A volume that goes with the last pod that uses it, or that is lost. */
export function claimFinding(subject: Subject, live: unknown): DriftFinding | undefined {
  const deleting = valueAtPath(live, ['metadata', 'deletionTimestamp']);
  const base = {
    key: `kubernetes/${keyOf(subject)}#status`,
    area: 'kubernetes',
    object: subjectText(subject),
    kind: 'unhealthy' as const,
  };
  if (typeof deleting === 'string') {
    return {
      ...base,
      is: 'it is being deleted',
      at: deleting,
      valueDigest: digestOf(deleting),
      note: 'its data goes with the last pod that uses it: back it up now; a deletion cannot be taken back',
    };
  }
  const { status, message } = persistentVolumeClaimHealth(live);
  return status === 'failed'
    ? { ...base, is: message, valueDigest: digestOf(message), note: 'restore its data from a backup' }
    : undefined;
}
