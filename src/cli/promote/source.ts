/** The version that is promoted, read from the cluster of the environment that it is of. */
import { chosen } from '../../effects/plan/rollback.ts';
import { readVersions } from '../../effects/versions/store.ts';
import type { PlatformVersion } from '../../contract/version.ts';
import type { Environment } from '../../environment/schema.ts';
import { withVersions } from '../history/read.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';

export interface PromotionSource {
  environment: Environment;
  version: PlatformVersion;
}

/** @param wanted absent: the newest. @throws CliError (refused) where it is not kept */
export function readSource(context: CliContext, name: string, wanted: number | undefined): Promise<PromotionSource> {
  return withVersions(context, name, async ({ kubernetes }, environment) => {
    const versions = await readVersions(kubernetes, environment.name);
    if (wanted !== undefined) return { environment, version: chosen(environment.name, versions, wanted) };
    const [newest] = versions;
    if (newest === undefined)
      throw refused(
        `There is no platform version of "${name}" in its cluster: each successful deployment makes one.`,
        commandLine('deploy', '--env', name),
      );
    return { environment, version: newest };
  });
}
