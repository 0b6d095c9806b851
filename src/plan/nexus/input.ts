/** What callers send, checked as the commands' options are. Pure. */
import { z } from 'zod';
import type { Catalog } from '../../catalog/schema.ts';
import { FAILURES } from '../../contract/failures.ts';
import { IF_RUNNING } from '../../contract/nexus/operations.ts';
import type { Selection } from '../../contract/operations/deploy.ts';
import { IMAGE_VERSION } from '../../environment/image-version.ts';
import { suggestion } from '../../suggest.ts';
import { allReleases } from '../releases.ts';
import { selectedServices } from '../selection.ts';
import { NexusRefusedError } from './refused.ts';

const LONGEST_SECONDS = 366 * 86_400;
const MOST = 500;

const name = z.string().min(1).max(200);
const names = z.array(name).max(MOST);

const asked = {
  confirm: name.optional(),
  planDigest: z
    .string()
    .regex(/^[0-9a-f]{16}$/, 'has to be 16 hexadecimal digits, as plan prints them')
    .optional(),
  timeoutSeconds: z.number().positive().max(LONGEST_SECONDS).optional(),
};

const deploySchema = z.strictObject({
  ...asked,
  images: z
    .record(name, z.string().regex(IMAGE_VERSION, 'has to be a tag or a digest (sha256:…); the repository stays'))
    .default({}),
  only: names.optional(),
  phases: z.array(z.number().int().min(1)).max(MOST).optional(),
  from: names.optional(),
  skip: names.optional(),
  withDependencies: z.boolean().optional(),
  rerun: names.optional(),
  ifRunning: z.enum(IF_RUNNING).default('queue'),
});

const promoteSchema = z.strictObject({
  ...asked,
  from: name,
  version: z.number().int().positive().optional(),
  pastNoReturn: z.boolean().default(false),
  ifRunning: z.enum(['queue', 'refuse']).default('queue'),
});

const verifySchema = z.strictObject({ drift: z.boolean().default(false) });

/** A client without an input sends nothing at all. */
const statusSchema = z.strictObject({});

const SCHEMAS = { deploy: deploySchema, promote: promoteSchema, verify: verifySchema, status: statusSchema };
type Schemas = typeof SCHEMAS;

/** @throws NexusRefusedError InvalidInput with every problem, one line each */
export function readInput<Name extends keyof Schemas>(operation: Name, input: unknown): z.infer<Schemas[Name]> {
  const read = SCHEMAS[operation].safeParse(input ?? {});
  if (read.success) return read.data as z.infer<Schemas[Name]>;
  const problems = read.error.issues
    .slice(0, 10)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`));
  throw invalid(`The input of ${operation} cannot be used: ${problems.join('; ')}`);
}

/**
 * What is selected, with names that the catalog has.
 * @returns undefined: everything
 * @throws NexusRefusedError, SelectionError
 */
export function selectionOf(
  catalog: Catalog,
  { images, only, phases, from, skip, withDependencies, rerun }: z.infer<typeof deploySchema>,
): Selection | undefined {
  const services = catalog.services.map((service) => service.name);
  for (const service of Object.keys(images))
    if (!services.includes(service))
      throw invalid(`images: there is no service "${service}"${suggestion(service, services)}`);
  const releases = allReleases(catalog).map((release) => release.name);
  for (const release of rerun ?? [])
    if (!releases.includes(release))
      throw invalid(`rerun: there is no release "${release}"${suggestion(release, releases)}`);
  const given = Object.entries({ only, phases, from, skip, withDependencies, rerun }).filter(
    ([, value]) => value !== undefined && value !== false && (!Array.isArray(value) || value.length > 0),
  );
  if (given.length === 0) return undefined;
  const selection = Object.fromEntries(given) as Selection;
  selectedServices(catalog, selection);
  return selection;
}

function invalid(message: string): NexusRefusedError {
  return new NexusRefusedError(FAILURES.invalidInput, message);
}
