/**
 * Checks of the verification stage: what has to be true of the platform once all services are healthy. Each belongs to
 * a service.
 */
import { z } from 'zod';
import { imageSchema, nameSchema } from './fields.ts';

const pattern = z.string().refine(isPattern, 'is not a regular expression');
const status = z.number().int().min(100).max(599);
const header = z.string().regex(/^[A-Za-z0-9-]+$/, 'must be the name of an HTTP header');
/** Sent to a server as they are, and shown: nothing that is a secret. */
const plainHeaders = z
  .record(header, z.string().regex(/^[^\r\n]*$/, 'must be one line'))
  .refine((headers) => !Object.keys(headers).some(carriesCredentials), 'may not carry credentials');

const common = {
  /** Unique among the checks of its service. */
  name: nameSchema,
  /** What it proves, for people. */
  description: z.string().min(1),
  /** Tried again for so long before it has failed. */
  timeoutSeconds: z.number().positive().max(3600).default(60),
};

/** A request to a ready pod, through the API server. */
export const httpCheckSchema = z.strictObject({
  kind: z.literal('http'),
  ...common,
  /** Container port. */
  port: z.number().int().min(1).max(65535),
  method: z.enum(['GET', 'HEAD', 'POST']).default('GET'),
  path: z.string().startsWith('/'),
  headers: plainHeaders.default({}),
  body: z.string().optional(),
  expect: z
    .strictObject({
      status: z.union([status, z.array(status).min(1)]).default(200),
      /** Regular expression that the body, or its first 64 KiB, has to match. */
      body: pattern.optional(),
      /** Regular expression by header. */
      headers: z.record(header, pattern).default({}),
      /** From the request to the end of the answer. */
      withinSeconds: z.number().positive().optional(),
    })
    .prefault({}),
  /** What a simulated pod answers; default: 200 and its name. */
  answer: z
    .strictObject({
      status: status.default(200),
      headers: z.record(header, z.string()).default({}),
      body: z.string().optional(),
    })
    .optional(),
});

/** One value of a Kubernetes Secret in the service's namespace. */
const secretRefSchema = z.union([
  /** Of a Vault path of which somebody in that namespace gets this key as a Secret. */
  z.strictObject({ path: z.string().min(1), key: z.string().min(1) }),
  /** Of a Secret that others make. */
  z.strictObject({ secret: nameSchema, key: z.string().min(1) }),
]);
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);

/** A Job that has to complete. It is made for the check, and removed when it has succeeded. */
export const jobCheckSchema = z.strictObject({
  kind: z.literal('job'),
  ...common,
  timeoutSeconds: common.timeoutSeconds.default(300),
  /** Default: the service's own image. */
  image: imageSchema.optional(),
  command: z.array(z.string()).min(1).optional(),
  args: z.array(z.string()).optional(),
  /** Nothing that is a secret. */
  env: z.record(variable, z.string()).default({}),
  /** Variables whose values come from Secrets: the deployer hands on references alone. */
  secretEnv: z.record(variable, secretRefSchema).optional(),
  /** Pods that may fail before the Job has: Kubernetes' backoffLimit. */
  retries: z.number().int().min(0).max(10).default(2),
});

/** A query to the Prometheus of the platform or of the environment. */
export const promqlCheckSchema = z.strictObject({
  kind: z.literal('promql'),
  ...common,
  query: z.string().min(1),
  expect: z
    .strictObject({
      /** Every value has to be at least, or at most, so large. */
      min: z.number().optional(),
      max: z.number().optional(),
      /** The query has to find nothing, as one for alerts does. */
      empty: z.literal(true).optional(),
    })
    .refine(
      ({ min, max, empty }) => (empty === true) !== (min !== undefined || max !== undefined),
      'needs a min, a max or both; or empty: true',
    ),
  /** Value that a simulated Prometheus answers; absent: it finds nothing. */
  answer: z.number().optional(),
});

export const checkSchema = z.discriminatedUnion('kind', [httpCheckSchema, jobCheckSchema, promqlCheckSchema]);
export type Check = z.infer<typeof checkSchema>;
export type HttpCheck = z.infer<typeof httpCheckSchema>;
export type JobCheck = z.infer<typeof jobCheckSchema>;
export type PromqlCheck = z.infer<typeof promqlCheckSchema>;

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

function carriesCredentials(name: string): boolean {
  return /^(authorization|proxy-authorization|cookie|x-api-key|x-vault-token)$/i.test(name);
}
