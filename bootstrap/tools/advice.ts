import { requiredGo } from './go/build.ts';
import type { ToolSpec } from './manifest/types.ts';
import type { Platform } from './types.ts';
import { compareVersions } from './manifest/versions.ts';

async function newestGo(specs: readonly ToolSpec[], modules: string): Promise<string> {
  const families = new Set(specs.map(({ goBuild }) => goBuild.family));
  const versions = await Promise.all([...families].map((family) => requiredGo(modules, family)));
  return versions.reduce((newest, version) => (compareVersions(version, newest) > 0 ? version : newest), '1.21.0');
}

/** What a person can do to get these tools, one line each. */
export async function adviceFor(
  specs: readonly ToolSpec[],
  { platform, cacheDir, modules }: { platform: Platform; cacheDir: string; modules: string },
): Promise<string[]> {
  const hosts = new Set<string>();
  for (const { releases } of specs) {
    const release = releases[platform];
    if ('url' in release) hosts.add(new URL(release.url).host);
  }
  const fitting = specs
    .filter(({ versionQuery }) => versionQuery !== undefined)
    .map(({ name, accepts }) => `${name} (${accepts.atLeast} or newer, below ${accepts.below})`);
  return [
    ...(hosts.size === 0
      ? []
      : [
          `let this machine reach ${[...hosts].join(', ')}, through HTTPS_PROXY if it needs one, and NODE_EXTRA_CA_CERTS if that one has its own certificates`,
          'name a mirror in ANANTA_TOOLS_MIRROR: it serves each file under <address>/<host>/<path>, as at the publisher',
        ]),
    `install Go ${await newestGo(specs, modules)} or newer (https://go.dev/dl) and let it reach a module proxy (GOPROXY)`,
    ...(fitting.length === 0 ? [] : [`put on the PATH: ${fitting.join(', ')}`]),
    `copy the folder "tools" of such a cache from a machine of the same kind (${platform}) to ${cacheDir}`,
  ];
}
