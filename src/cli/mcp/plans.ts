/** Plans that were made in this session, by their digest: what the tool deploy may carry out. */
import { access, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { tryJson } from '../../try-json.ts';
import { refused } from '../shared/failure.ts';

const plannedSchema = z.object({ digest: z.string().regex(/^[0-9a-f]{8,64}$/) });

function pathOf(folder: string, environment: string, digest: string): string {
  return join(folder, `${environment}-${digest}.json`);
}

export const planFileOf = {
  /** @param output of `plan --json`; one that has failed leaves no draft */
  keep: async (folder: string, draft: string, environment: string, output: string): Promise<void> => {
    const planned = plannedSchema.safeParse(tryJson(output));
    if (planned.success) await rename(draft, pathOf(folder, environment, planned.data.digest)).catch(() => undefined);
  },

  /** @throws CliError (refused) for a plan that this session has not made */
  find: async (folder: string, environment: string, digest: string): Promise<string> => {
    const path = pathOf(folder, environment, digest);
    await access(path).catch(() => {
      throw refused(
        `No plan with the digest ${digest} was made for "${environment}" in this session.`,
        'Make one with the tool plan, read it, and give its digest.',
      );
    });
    return path;
  },
};
