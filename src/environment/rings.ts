/** Reads rings/<name>.yaml, beside the folder of environments, and refuses what does not hold. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { suggestion } from '../suggest.ts';
import { ConfigurationError } from './errors.ts';
import { oneLine, seconds } from './fields/formats/texts.ts';
import { listEnvironments } from './files/layers.ts';

const nameSchema = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$/, 'has to be small letters, digits and dashes');
const soakSchema = z.strictObject({
  seconds: z.union([z.literal(0), seconds(1)]),
  looks: z.number().int().min(1).max(100).default(5),
});

export const ringsFileSchema = z.strictObject({
  description: oneLine(),
  /** Of every ring that says nothing else. */
  soak: soakSchema.default({ seconds: 600, looks: 5 }),
  onFailure: z.enum(['halt', 'rollback']).default('halt'),
  rings: z
    .array(
      z.strictObject({
        name: nameSchema,
        environments: z.array(z.string().min(1)).min(1),
        soak: soakSchema.optional(),
        onFailure: z.enum(['halt', 'rollback']).optional(),
      }),
    )
    .min(1),
});
export type RingsFile = z.infer<typeof ringsFileSchema>;

/** Of a mistyped name in a message. */
const SHOWN_NAME = 60;

type Where = Pick<Config, 'environmentsDir'>;

/** @throws ConfigurationError that lists every problem */
export async function loadRings(name: string, config: Where): Promise<RingsFile> {
  const folder = join(dirname(config.environmentsDir), 'rings');
  const shown = name.replace(/\p{Cc}/gu, '?');
  const file = `rings/${shown.length > SHOWN_NAME ? `${shown.slice(0, SHOWN_NAME)}…` : shown}.yaml`;
  const refuse = (...problems: { field: string; message: string }[]): never => {
    throw new ConfigurationError(problems.map((problem) => ({ file, ...problem })));
  };
  let text: string;
  try {
    text = await readFile(join(folder, `${nameSchema.parse(name)}.yaml`), 'utf8');
  } catch {
    const known = (await readdir(folder).catch(() => []))
      .filter((entry) => entry.endsWith('.yaml'))
      .map((entry) => entry.slice(0, -'.yaml'.length));
    return refuse({ field: '', message: `there is no such file of rings${suggestion(name, known)}` });
  }
  let tree: unknown;
  try {
    tree = parse(text);
  } catch (error) {
    return refuse({ field: '', message: `is not valid YAML: ${(error as Error).message}` });
  }
  const parsed = ringsFileSchema.safeParse(tree);
  if (!parsed.success)
    return refuse(...parsed.error.issues.map(({ path, message }) => ({ field: path.map(String).join('.'), message })));
  const problems = contradictions(parsed.data, await listEnvironments(config));
  return problems.length > 0 ? refuse(...problems) : parsed.data;
}

/** Names that do not exist, or stand twice. */
export function contradictions(
  { rings }: RingsFile,
  environments: readonly string[],
): { field: string; message: string }[] {
  const seen = new Map<string, string>();
  return rings.flatMap(({ name, environments: own }, at) => [
    ...(rings.findIndex((ring) => ring.name === name) === at
      ? []
      : [{ field: `rings.${at}.name`, message: `"${name}" stands here twice` }]),
    ...own.flatMap((environment) => {
      const field = `rings.${at}.environments`;
      const before = seen.get(environment);
      seen.set(environment, name);
      if (!environments.includes(environment))
        return [{ field, message: `there is no environment "${environment}"${suggestion(environment, environments)}` }];
      return before === undefined ? [] : [{ field, message: `"${environment}" is in ring ${before} already` }];
    }),
  ]);
}
