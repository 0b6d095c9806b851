import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { GO_MODULES } from '../../../bootstrap/tools/install.ts';
import { MANIFEST, TOOL_NAMES } from '../../../bootstrap/tools/manifest/manifest.ts';
import type { ToolSpec } from '../../../bootstrap/tools/manifest/types.ts';
import { SUPPORTED_PLATFORMS, UnsupportedPlatformError, toolPlatform } from '../../../bootstrap/tools/platform.ts';
import { fits } from '../../../bootstrap/tools/manifest/versions.ts';

const specs: readonly ToolSpec[] = Object.values(MANIFEST);

describe('the manifest', () => {
  it('has a checked release or a reason for every tool and platform', () => {
    for (const { name, version, releases } of specs) {
      for (const platform of SUPPORTED_PLATFORMS) {
        const release = releases[platform];
        if ('unavailable' in release) {
          assert.ok(release.unavailable.length > 20, `${name} ${platform}`);
          continue;
        }
        const [os, arch] = platform.split('-') as [string, string];
        assert.match(release.url, /^https:\/\//);
        assert.ok(release.url.includes(version) && release.url.includes(os) && release.url.includes(arch), release.url);
        if (release.checksum.kind === 'pinned')
          assert.match(release.checksum.sha256, /^[0-9a-f]{64}$/, `${name} ${platform}`);
        else assert.equal(new URL(release.checksum.url).host, new URL(release.url).host);
      }
    }
  });

  it('pins each checksum once', () => {
    const sums = specs.flatMap(({ releases }) =>
      Object.values(releases).flatMap((release) =>
        'url' in release && release.checksum.kind === 'pinned' ? [release.checksum.sha256] : [],
      ),
    );
    assert.equal(new Set(sums).size, sums.length);
  });

  it('accepts its own versions on the PATH', () => {
    for (const { name, version, accepts } of specs) assert.ok(fits(version, accepts), name);
    assert.equal(TOOL_NAMES[0], 'temporal');
  });

  it('names committed modules that require the pinned versions', async () => {
    for (const { name, version, goBuild } of specs) {
      const folder = join(GO_MODULES, goBuild.family);
      const module = await readFile(join(folder, 'go.mod'), 'utf8');
      const sums = await readFile(join(folder, 'go.sum'), 'utf8');
      // A main program of ours: it stands beside go.mod, which requires the publisher's module.
      const own = goBuild.package.startsWith('ananta.invalid/');
      assert.ok(
        own
          ? module.startsWith(`module ${goBuild.package}\n`)
          : module.includes(`\t${goBuild.package}\n`) || module.includes(`tool ${goBuild.package}\n`),
        `${name}: ${goBuild.package}`,
      );
      const required = [...module.matchAll(/^(?:require|\t) ?(\S+) v(\S+)/gm)].find(
        ([, path = '', found]) =>
          (own ? path.endsWith(`/${name}`) : goBuild.package.startsWith(path)) && found === version,
      );
      assert.ok(required, `${name} ${version} in ${goBuild.family}/go.mod`);
      assert.ok(sums.includes(`${required[1]} v${version} h1:`), `${name} in ${goBuild.family}/go.sum`);
    }
  });
});

describe('the platform', () => {
  it('is told in the publishers’ words, and refused where no tool exists', () => {
    assert.equal(toolPlatform('linux', 'x64'), 'linux-amd64');
    assert.equal(toolPlatform('darwin', 'arm64'), 'darwin-arm64');
    assert.throws(() => toolPlatform('win32', 'x64'), UnsupportedPlatformError);
    assert.throws(
      () => toolPlatform('linux', 'ppc64'),
      /linux-ppc64.*linux-amd64, linux-arm64, darwin-amd64, darwin-arm64/,
    );
  });
});
