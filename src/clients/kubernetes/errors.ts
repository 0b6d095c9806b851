/** What can go wrong between us and the API server, told apart once. */
import { z } from 'zod';

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
export class KubernetesError extends Error {
  override name = 'KubernetesError';
  /** HTTP status. */
  readonly status: number;
  /** Kubernetes' own word: `NotFound`, `Conflict`, `Forbidden`, `Expired`; empty when the answer was no Status. */
  readonly reason: string;
  /** What was asked: `GET /api/v1/...`, without the query. */
  readonly request: string;
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
  }
}

/** No answer: connection refused or cut, a timeout, a certificate that does not fit. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';
}

/** Something answered with success, and not as an API server does. */
export class UnexpectedAnswerError extends Error {
  override name = 'UnexpectedAnswerError';

  constructor(request: string, why: string) {
    super(`${request}: the answer is not that of a Kubernetes API server (${why})`);
  }
}

/** The kubeconfig names something that is not there; a person has to correct it. */
export class KubeconfigError extends Error {
  override name = 'ConfigurationError';
}

/** The cluster is not the one the environment belongs to. */
export class ClusterMismatchError extends Error {
  override name = 'ClusterMismatchError';
}

/** @param body the answer's body as text */
export function errorFromAnswer(request: string, status: number, body: string): KubernetesError {
  const parsed = statusSchema.safeParse(parseJson(body));
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
