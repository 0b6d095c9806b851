import { MANIFEST } from './manifest/manifest.ts';
import type { Manifest } from './manifest/types.ts';
import { lookUpOnPath } from './onpath.ts';
import { toolPlatform } from './platform.ts';
import { lookUpCached } from './receipts.ts';
import type { InstalledTool, ToolEnvironment, ToolName } from './types.ts';

/**
 * What is there now: nothing is downloaded, built or repaired. Missing names are not there, or damaged.
 * @param env with its PATH the tools on it are found too, as `acquireTools` would
 * @param names of those that are looked for; all when it is absent
 * @throws UnsupportedPlatformError
 */
export async function findInstalledTools(
  cacheDir: string,
  env: ToolEnvironment = {},
  manifest: Manifest = MANIFEST,
  names: readonly ToolName[] = Object.keys(manifest) as ToolName[],
): Promise<Map<ToolName, InstalledTool>> {
  const platform = toolPlatform();
  const specs = Object.values(manifest).filter(({ name }) => names.includes(name));
  const tools = await Promise.all(
    specs.map(async (spec) => {
      const onPath = await lookUpOnPath(spec, cacheDir, env);
      if (onPath.tool !== undefined) return onPath.tool;
      const cached = await lookUpCached(cacheDir, spec, platform);
      return cached.state === 'found' ? cached.tool : undefined;
    }),
  );
  return new Map(tools.filter((tool) => tool !== undefined).map((tool) => [tool.name, tool]));
}
