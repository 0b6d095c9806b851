/** What can go wrong between us and the API server, classified in one place. */
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES, type FailureType } from '../../contract/failures.ts';
import { z } from 'zod';
import { tryJson } from '../../try-json.ts';

const statusSchema = z.object({
  kind: z.literal('Status'),
  code: z.number().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  details: z
    .object({
      retryAfterSeconds: z.number().optional(),
      causes: z
        .array(
          z.object({ reason: z.string().optional(), message: z.string().optional(), field: z.string().optional() }),
        )
        .optional(),
    })
    .optional(),
});

/** The API server answered, and the answer is no. */
export class KubernetesError extends AnantaError {
  override name = 'KubernetesError';
  override readonly next: readonly NextStep[] = [{ command: 'doctor' }];
  /** HTTP status. */
  readonly status: number;
  /** Kubernetes' own word: `NotFound`, `Conflict`, `Forbidden`, `Expired`; empty when the answer was no Status. */
  readonly reason: string;
  /** What was asked: `GET /api/v1/...`, without the query. */
  readonly request: string;
  override readonly type: FailureType;
  /** Fields it is about, where the server names any. */
  readonly causes: { field: string; message: string }[];

  constructor(
    request: string,
    status: number,
    reason: string,
    message: string,
    causes: { field: string; message: string }[] = [],
  ) {
    super(`${request}: ${status} ${message}`);
    this.request = request;
    this.status = status;
    this.reason = reason;
    this.causes = causes;
    this.type = typeOf(status, reason, this.message);
  }
}

/** No answer: connection refused or cut, a timeout, a certificate that does not fit. */
export class UnreachableError extends AnantaError {
  override name = 'UnreachableError';
  override readonly type = FAILURES.unreachable;
  override readonly next: readonly NextStep[] = [{ command: 'doctor' }];

  override explain(): string {
    return `The cluster does not answer: ${this.message}`;
  }
}

/** Something answered with success, and not as an API server does. */
export class UnexpectedAnswerError extends AnantaError {
  override name = 'UnexpectedAnswerError';
  override readonly next: readonly NextStep[] = [{ command: 'doctor' }];

  constructor(request: string, why: string) {
    super(`${request}: the answer is not that of a Kubernetes API server (${why})`);
  }

  override explain(): string {
    return `${this.message}. Is a proxy in the way, or does the kubeconfig lead somewhere else?`;
  }
}

/** The kubeconfig names something that is not there; a person has to correct it. */
export class KubeconfigError extends AnantaError {
  override name = 'ConfigurationError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
}

/** The cluster is not the one the environment belongs to. */
export class ClusterMismatchError extends AnantaError {
  override name = 'ClusterMismatchError';
  override readonly type = FAILURES.clusterMismatch;
  override readonly exitCode = EXIT_CODES.refused;
}

/** @param body the answer's body as text */
export function errorFromAnswer(request: string, status: number, body: string): KubernetesError {
  const parsed = statusSchema.safeParse(tryJson(body));
  if (!parsed.success) return new KubernetesError(request, status, '', body.slice(0, 300).trim() || 'no message');
  const { reason, message, details } = parsed.data;
  return new KubernetesError(
    request,
    status,
    reason ?? '',
    message ?? reason ?? 'no message',
    (details?.causes ?? []).map((cause) => ({ field: cause.field ?? '', message: cause.message ?? '' })),
  );
}

function typeOf(status: number, reason: string, message: string): FailureType {
  // Of etcd, whatever the API server was doing when it came: "is invalid" among it.
  if (/etcdserver: (?!request is too large)|rpc error: code = Unavailable/.test(message)) return FAILURES.unreachable;
  if (status === 403)
    return /exceeded quota|violates PodSecurity|denied/.test(message) ? FAILURES.rejectedByCluster : FAILURES.forbidden;
  if (status === 409 && /conflict/i.test(message) && reason !== 'AlreadyExists') return FAILURES.fieldConflict;
  if (status === 400 || status === 413 || status === 422)
    return /immutable/.test(message) ? FAILURES.immutableField : FAILURES.rejectedByCluster;
  if (/failed calling webhook/.test(message)) return FAILURES.webhookFailed;
  if (/range is full|request is too large|larger than max/.test(message)) return FAILURES.rejectedByCluster;
  // 401 after the kubeconfig was read again, 429, and everything the server itself has trouble with.
  if (status === 401 || status === 429 || status >= 500) return FAILURES.unreachable;
  return FAILURES.unexpected;
}

/** The identity in use may not do that. */
export function isForbidden(error: unknown): error is KubernetesError {
  return error instanceof KubernetesError && error.status === 403;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof KubernetesError && error.status === 404;
}

/** The resourceVersion asked for is gone from the API server's memory: only a new list helps. */
export function isExpired(error: unknown): boolean {
  return (
    error instanceof KubernetesError && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone')
  );
}
