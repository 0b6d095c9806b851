/** What an environment lets other teams' workflows ask of it, through Temporal Nexus. */
import { z } from 'zod';
import { NEXUS_OPERATIONS } from '../../contract/nexus/operations.ts';
import { refuseRepetitions, temporalNamespace } from './formats/texts.ts';

/** As the engine takes names. */
const ENDPOINT_NAME = /^[a-zA-Z][a-zA-Z0-9-]{0,198}[a-zA-Z0-9]$/;

export const nexusSchema = z
  .strictObject({
    operations: z
      .array(z.enum(NEXUS_OPERATIONS))
      .min(1)
      .superRefine(refuseRepetitions)
      .describe('What may be asked for: status, verify, deploy, promote'),
    callers: z
      .array(temporalNamespace)
      .min(1)
      .superRefine(refuseRepetitions)
      .describe('Temporal namespaces on the same engine whose workflows may ask'),
    promoteFrom: z
      .array(z.string().min(1))
      .superRefine(refuseRepetitions)
      .default([])
      .describe('With promote: environments on the same engine whose versions may be promoted'),
    endpoint: z
      .string()
      .regex(ENDPOINT_NAME, 'has to be letters, digits and dashes, beginning with a letter, at most 200')
      .optional()
      .describe('Name of the Nexus endpoint, of which an engine has one; default: ananta-<environment>'),
  })
  .superRefine(({ operations, promoteFrom }, context) => {
    if (operations.includes('promote') && promoteFrom.length === 0)
      context.addIssue({
        code: 'custom',
        path: ['promoteFrom'],
        message: 'names no environment, and promote is allowed: say from where',
      });
    if (!operations.includes('promote') && promoteFrom.length > 0)
      context.addIssue({
        code: 'custom',
        path: ['promoteFrom'],
        message: 'is of no use, since operations does not allow promote',
      });
  })
  .describe("Other teams' workflows may ask for operations through Temporal Nexus; absent: nobody may");

export type Nexus = z.infer<typeof nexusSchema>;
