/** What is on record of an operation: who asked for what, where, and how it ended. Holds no secrets. */
import { z } from 'zod';

/** As in `OperationAct`. */
export const operationActSchema = z.object({
  act: z.string(),
  by: z.string(),
  reason: z.string().optional(),
  at: z.string(),
  on: z.string().optional(),
});

export const auditRecordSchema = z.looseObject({
  /** When it ended, ISO 8601. */
  at: z.string(),
  environment: z.string(),
  /** kube-system's uid. */
  cluster: z.string(),
  operation: z.string(),
  requestedBy: z.string(),
  planDigest: z.string(),
  outcome: z.string(),
  seconds: z.number(),
  imageTags: z.record(z.string(), z.string()).default({}),
  /** What people decided while it ran. */
  acts: z.array(operationActSchema).optional(),
  workflowId: z.string(),
  runId: z.string(),
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;
