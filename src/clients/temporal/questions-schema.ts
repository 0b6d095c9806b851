/** Questions of a running operation, as its memo holds them. */
import { z } from 'zod';
import { AFTER_FAILURE } from '../../contract/operations/steering.ts';

/** By the name of the service that has failed. */
export const questionsSchema = z.record(
  z.string(),
  z.object({
    service: z.string(),
    failure: z.string(),
    since: z.string(),
    until: z.string(),
    then: z.enum(AFTER_FAILURE),
  }),
);
