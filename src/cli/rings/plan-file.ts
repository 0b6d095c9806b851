/** What somebody has looked at before rings are deployed: the plan of each environment, kept in a file. */
import { z } from 'zod';
import type { RingsFile } from '../../environment/rings.ts';
import { planFileSchema } from '../../plan/diff/file.ts';
import { readPlanJson, writeText } from '../plan/file.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';

const FORMAT = 'ananta-rings-plan';
const ringsPlanSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  name: z.string(),
  /** Names of rings and of their environments, in their order. */
  rings: z.array(z.strictObject({ name: z.string(), environments: z.array(z.string()) })),
  imageTags: z.record(z.string(), z.string()),
  plans: z.array(planFileSchema),
});
export type RingsPlan = z.infer<typeof ringsPlanSchema>;

export function ringsPlanOf(
  name: string,
  { rings }: RingsFile,
  imageTags: Record<string, string>,
  plans: RingsPlan['plans'],
): RingsPlan {
  const order = rings.map((ring) => ({ name: ring.name, environments: ring.environments }));
  return { format: FORMAT, version: 1, name, rings: order, imageTags, plans };
}

/** @throws CliError (refused) when it cannot be written */
export async function writeRingsPlan(path: string, plan: RingsPlan): Promise<void> {
  await writeText(path, `${JSON.stringify(ringsPlanSchema.parse(plan), undefined, 2)}\n`, '--out rings.json');
}

/** @throws CliError (refused) when it is missing, no plan of these rings, or the rings are others by now */
export async function readRingsPlan(path: string, name: string, { rings }: RingsFile): Promise<RingsPlan> {
  const again = `${commandLine('rings', 'plan', name, '--out', path)}   (makes a new one)`;
  const parsed = ringsPlanSchema.safeParse(await readPlanJson(path, again));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refused(`${path} is no plan of rings: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`, again);
  }
  const plan = parsed.data;
  if (plan.name !== name) throw refused(`The plan ${path} is of rings "${plan.name}", not of "${name}".`, again);
  const order = rings.map((ring) => `${ring.name}: ${ring.environments.join(', ')}`).join('; ');
  const then = plan.rings.map((ring) => `${ring.name}: ${ring.environments.join(', ')}`).join('; ');
  if (order !== then)
    throw refused(`rings/${name}.yaml is another one than when ${path} was made: ${order}. Then: ${then}.`, again);
  const missing = rings
    .flatMap(({ environments }) => environments)
    .find((environment) => !plan.plans.some((one) => one.environment === environment));
  if (missing !== undefined) throw refused(`${path} holds no plan of "${missing}".`, again);
  return plan;
}
