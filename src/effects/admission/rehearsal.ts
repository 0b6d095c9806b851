/** The certificate that an environment's file names, as rules of its policy read it. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../../config.ts';
import type { Environment } from '../../environment/schema.ts';
import { type Certificate, certificateSchema } from '../../plan/rehearsal/certificate.ts';
import { contentDigest, type RehearsalFact, readsRehearsal, rehearsalFact } from '../../plan/rehearsal/content.ts';
import { tryJson } from '../../try-json.ts';

/** @returns undefined where no rule asks; never throws for what the file holds */
export async function readRehearsal(
  { repoRoot }: Pick<Config, 'repoRoot'>,
  { name, policy, rehearsal }: Pick<Environment, 'name' | 'policy' | 'rehearsal'>,
  inputs: ReadonlyMap<string, { digest: string }>,
): Promise<RehearsalFact | undefined> {
  if (!policy.some(readsRehearsal)) return undefined;
  const certificate =
    rehearsal === undefined
      ? 'the environment names no certificate (rehearsal.certificate)'
      : await readCertificate(resolve(repoRoot, rehearsal.certificate));
  return rehearsalFact(certificate, { environment: name, content: contentDigest(inputs), now: Date.now() });
}

async function readCertificate(file: string): Promise<Certificate | string> {
  try {
    const parsed = certificateSchema.safeParse(tryJson(await readFile(file, 'utf8')));
    return parsed.success ? parsed.data : `${file} is no certificate of this version`;
  } catch (error) {
    return `${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
}
