/** What an environment says of the verification stage. */
import { z } from 'zod';
import type { Catalog } from '../../catalog/schema.ts';
import { checkKey } from '../../contract/checks.ts';
import { suggestion } from '../../suggest.ts';
import type { Finding } from '../explain.ts';
import { filePath, webAddress } from './formats/addresses.ts';
import { oneLine } from './formats/texts.ts';

export const prometheusSchema = z
  .strictObject({
    url: webAddress('https://HOST/PATH').describe('In front of /api/v1/query'),
    headersFile: filePath.optional().describe('File with HTTP headers for it, one Name: value a line, such as a token'),
  })
  .describe("The Prometheus that checks of kind promql ask, in place of the platform's own");

export const verificationSchema = z
  .strictObject({
    skip: z
      .record(z.string(), oneLine())
      .default({})
      .describe('Checks of the catalog that are not made here, as SERVICE/CHECK, each with the reason'),
    timeoutFactor: z.number().positive().max(100).default(1).describe('Multiplies how long checks are tried again'),
  })
  .prefault({})
  .describe("The checks that the platform's catalog declares, made after the last service");

/** @returns checks that do not exist, and queries that nobody could answer */
export function checkVerification(
  {
    verification,
    prometheus,
  }: { verification: z.infer<typeof verificationSchema>; prometheus?: z.infer<typeof prometheusSchema> | undefined },
  catalog: Catalog,
): Finding[] {
  const all = catalog.services.flatMap(({ name: service, checks }) =>
    checks.map(({ name, kind }) => ({ key: checkKey({ service, name }), kind })),
  );
  const known = all.map(({ key }) => key);
  const unanswered =
    prometheus !== undefined || catalog.prometheus !== undefined
      ? []
      : all.filter(({ key, kind }) => kind === 'promql' && verification.skip[key] === undefined);
  return [
    ...Object.keys(verification.skip)
      .filter((key) => !known.includes(key))
      .map((key) => ({
        path: ['verification', 'skip', key],
        message: `there is no check "${key}"${suggestion(key, known)}`,
      })),
    ...(unanswered.length === 0
      ? []
      : [
          {
            path: ['prometheus'],
            message: `has to be said: the platform has no Prometheus of its own, and ${unanswered.map(({ key }) => key).join(', ')} ${unanswered.length === 1 ? 'asks' : 'ask'} one (or skip ${unanswered.length === 1 ? 'it' : 'them'}: verification.skip)`,
          },
        ]),
  ];
}
