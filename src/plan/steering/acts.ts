/** What people decided on an operation, in their order and in words. Pure. */
import type { OperationAct } from '../../contract/operations/deploy.ts';
import type { Intervention, SteerRequest } from '../../contract/operations/steering.ts';
import type { DeploymentProgress } from '../progress.ts';
import { placeText } from './words.ts';

/** A request that was carried out, as it stands in the result, the version and the audit trail. */
export function actOf({ when, ...request }: Intervention): OperationAct {
  const on = onOf(request);
  return {
    act: request.verb,
    by: request.by,
    at: when,
    ...(request.reason === undefined ? {} : { reason: request.reason }),
    ...(on === undefined ? {} : { on }),
  };
}

function onOf(request: SteerRequest): string | undefined {
  switch (request.verb) {
    case 'pause':
      return request.at;
    case 'resume':
      return undefined;
    case 'extend':
      return `${request.service ?? 'all services'}, ${request.seconds} s`;
    case 'abandon':
      return request.then === undefined ? request.service : `${request.service}, then ${request.then}`;
    default:
      return request.service;
  }
}

/** @returns the same, the earliest first */
export function inOrder(acts: readonly OperationAct[]): OperationAct[] {
  return acts.toSorted((a, b) => a.at.localeCompare(b.at));
}

/** All that is known by now: of one that has ended, what its result says. */
export function actsOf({ finished, acts = [], steering }: DeploymentProgress): OperationAct[] {
  return finished?.acts ?? inOrder([...acts, ...(steering?.interventions ?? []).map(actOf)]);
}

/** An act as it is, or as it was read from a record. */
interface Words extends Pick<OperationAct, 'act' | 'by' | 'at'> {
  on?: string | undefined;
  reason?: string | undefined;
}

/** `ops@host skipped redis: the cache is not needed` */
export function actText(act: Words): string {
  return `${act.by} ${deedText(act)}`;
}

/** What was done, and why, without who did it. */
export function deedText({ act, on, reason }: Omit<Words, 'by' | 'at'>): string {
  return `${did(act, on)}${reason === undefined ? '' : `: ${reason}`}`;
}

function did(act: string, on = ''): string {
  const what = on === '' ? '' : ` ${on}`;
  switch (act) {
    case 'request':
      return 'asked for it, as the API server says';
    case 'approve':
    case 'reject':
      return `${act === 'approve' ? 'approved' : 'rejected'} it${on === '' ? '' : ` (gate and plan: ${on})`}`;
    case 'override-freeze':
      return `overrode the freeze${on === '' ? '' : ` (${on})`}`;
    case 'pause':
      return on === '' ? 'paused it' : `asked for a pause at ${placeText(on)}`;
    case 'resume':
      return 'let it go on';
    case 'retry':
      return `tried${what} again`;
    case 'skip':
      return `skipped${what}`;
    case 'extend':
      return `extended the health deadline of${what}`;
    case 'abandon':
      return `gave up${what}`;
    default:
      return `${act}${what}`;
  }
}
