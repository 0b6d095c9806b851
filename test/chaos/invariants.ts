/** What has to hold after every operation, whatever fault has hit it. Each violation is one line. */
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import type { Stage } from './stage.ts';
import { NAME } from './stage.ts';
import { helms } from './strike.ts';
import type { World } from './world.ts';

export interface Expected {
  /** Tags of the services that were ever given one; undefined for those that may have either. */
  tags: Record<string, string | undefined>;
  /** How often each release may have been applied: none of those that are not named. */
  applied: Record<string, number>;
  /** Services that were cancelled: Helm marks what it was asked to end as failed, and leaves nothing pending. */
  cancelled?: string[];
  /** All of it was taken down and brought up again. */
  rebuilt?: boolean;
}

export function judge(
  before: World,
  after: World,
  { tags, applied, cancelled = [], rebuilt = false }: Expected,
): string[] {
  const found: string[] = [];
  for (const [release, revisions] of Object.entries(after.releases)) {
    const newest = revisions.at(-1) ?? '';
    const wasCancelled = cancelled.some((service) => isOf(release, service));
    if (!newest.endsWith(':deployed') && !(wasCancelled && newest.endsWith(':failed')))
      found.push(`${release} is left ${newest}`);
    for (const revision of revisions.slice(0, -1))
      if (!/:(superseded|failed)$/.test(revision)) found.push(`${release} has a revision ${revision}`);
    if (rebuilt) continue;
    const gained = numberOf(newest) - numberOf(before.releases[release]?.at(-1) ?? '0');
    const most = Object.entries(applied).reduce(
      (sum, [service, times]) => sum + (isOf(release, service) ? times : 0),
      0,
    );
    if (gained > most || gained < 0) found.push(`${release} was applied ${gained} times, and ${most} were right`);
  }
  for (const release of Object.keys(before.releases))
    if (after.releases[release] === undefined) found.push(`${release} is gone`);
  for (const [job, { pods, succeeded, uid }] of Object.entries(after.jobs)) {
    if (succeeded !== 1 || pods > 1) found.push(`Job ${job} has ${pods} pods, of which ${succeeded} succeeded`);
    const known = before.jobs[job];
    if (!rebuilt && known !== undefined && known.uid !== uid) found.push(`Job ${job} ran a second time`);
  }
  for (const [secret, digest] of Object.entries(before.secrets)) {
    // Its service account was made anew, and Kubernetes its token with it.
    if (rebuilt && after.tokens.includes(secret)) continue;
    if (after.secrets[secret] !== digest)
      found.push(`Secret ${secret} ${after.secrets[secret] === undefined ? 'is gone' : 'has another content'}`);
  }
  for (const [claim, uid] of Object.entries(before.claims))
    if (after.claims[claim] !== uid)
      found.push(`claim ${claim} ${after.claims[claim] === undefined ? 'is gone' : 'is another one'}`);
  for (const [service, tag] of Object.entries(tags))
    if (tag !== undefined && after.tags[service] !== tag)
      found.push(`${service} runs ${after.tags[service] ?? 'nothing'} instead of ${tag}`);
  return found;
}

/** A service's own release, or one of its steps. */
function isOf(release: string, service: string): boolean {
  const name = release.split('/')[1] ?? '';
  return name === service || name.startsWith(`${service}-`);
}

function numberOf(revision: string): number {
  return Number(revision.split(':')[0]);
}

/** Nothing of the operation still runs, and nothing of other owners was changed. */
export async function judgeRest(stage: Stage): Promise<string[]> {
  const found: string[] = [];
  for (const { pid, release } of await helms(stage)) found.push(`Helm ${pid} of ${release} is still at work`);
  for await (const { workflowId } of stage.client.workflow.list({ query: `ExecutionStatus = 'Running'` }))
    if (workflowId.includes(`/${NAME}/`)) found.push(`${workflowId} still runs in ${ENGINE_NAMESPACE}`);
  await stage.bystander.assertUntouched(stage.kubernetes).catch((error: unknown) => {
    found.push(
      `somebody else's: ${error instanceof Error ? error.message.split('\n').slice(0, 12).join(' ') : String(error)}`,
    );
  });
  return found;
}
