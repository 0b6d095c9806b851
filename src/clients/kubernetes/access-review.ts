/** Who may do what, as the API server says. */
import { z } from 'zod';
import { ask } from './ask.ts';
import type { Transport } from './transport.ts';

/** What a SelfSubjectAccessReview asks. */
export interface AccessQuestion {
  verb: string;
  /** Empty for the core group. */
  group: string;
  /** Plural. */
  resource: string;
  subresource?: string;
  /** Absent: all objects. */
  name?: string;
  /** Absent: cluster-wide. */
  namespace?: string;
}

const reviewSchema = z.object({ status: z.object({ allowed: z.boolean() }) });

/**
 * Whether whoever holds the connection may do it: needs no right.
 * @throws KubernetesError, with status 401 where the API server does not know the token; UnreachableError
 */
export function isAllowed(
  transport: Pick<Transport, 'call'>,
  resourceAttributes: AccessQuestion,
  signal?: AbortSignal,
): Promise<boolean> {
  return reviewed(transport, 'SelfSubjectAccessReview', { resourceAttributes }, signal);
}

/** Whether a service account may do it: needs the right to ask. @throws KubernetesError; UnreachableError */
export function isAccountAllowed(
  transport: Pick<Transport, 'call'>,
  { namespace, name }: { namespace: string; name: string },
  resourceAttributes: AccessQuestion,
  signal?: AbortSignal,
): Promise<boolean> {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  const spec = { user: `system:serviceaccount:${namespace}:${name}`, groups, resourceAttributes };
  return reviewed(transport, 'SubjectAccessReview', spec, signal);
}

async function reviewed(
  transport: Pick<Transport, 'call'>,
  kind: 'SelfSubjectAccessReview' | 'SubjectAccessReview',
  spec: object,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { status } = await ask(transport, reviewSchema, {
    method: 'POST',
    path: `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s`,
    body: { apiVersion: 'authorization.k8s.io/v1', kind, spec },
    signal,
  });
  return status.allowed;
}
