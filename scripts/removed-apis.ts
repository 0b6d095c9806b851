/**
 * Which versions of Kubernetes' own APIs are deprecated and removed when: from Kubernetes' own source, where each type
 * of a version that is none for ever says so (zz_generated.prerelease-lifecycle.go). Types whose source is gone, or
 * lies in another module, are those of the migration guide
 * (https://kubernetes.io/docs/reference/using-api/deprecation-guide/).
 *
 *   go mod download k8s.io/api@v0.36.0
 *   node launcher.mjs --run scripts/removed-apis.ts "$(go env GOMODCACHE)/k8s.io/api@v0.36.0"
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { APIS_FILE, type ApiLifecycle } from '../src/plan/upgrade/apis.ts';

const gone = (apiVersion: string, kind: string, deprecated: number, removed: number, use?: string): ApiLifecycle => ({
  apiVersion,
  kind,
  deprecated,
  removed,
  ...(use === undefined ? {} : { use }),
});
const GUIDE: ApiLifecycle[] = [
  gone('apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition', 16, 22, 'apiextensions.k8s.io/v1'),
  gone('apiregistration.k8s.io/v1beta1', 'APIService', 19, 22, 'apiregistration.k8s.io/v1'),
  gone('autoscaling/v2beta1', 'HorizontalPodAutoscaler', 22, 25, 'autoscaling/v2'),
  gone('autoscaling/v2beta2', 'HorizontalPodAutoscaler', 23, 26, 'autoscaling/v2'),
  gone('extensions/v1beta1', 'PodSecurityPolicy', 11, 16),
  gone('policy/v1beta1', 'PodSecurityPolicy', 21, 25),
];
const FUNCTION =
  // Name of the type, what is said of it, and that.
  /^func \(in \*(\w+)\) APILifecycle(Deprecated|Removed|Replacement)\(\) .*\{\n\treturn (?:1, (\d+)|.*Group: "(.*)", Version: "(.*)", Kind: "(.*)"\})$/gm;

const folder = process.argv[2];
if (folder === undefined) throw new Error('Name the folder of k8s.io/api.');
const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('prerelease-lifecycle.go'));
const found = await Promise.all(files.map((file) => lifecycles(join(folder, file))));
const all = [...found.flat(), ...GUIDE].sort(
  (a, b) => a.apiVersion.localeCompare(b.apiVersion) || a.kind.localeCompare(b.kind),
);
await writeFile(
  APIS_FILE,
  `${JSON.stringify({ source: `${basename(folder)}, and Kubernetes' Deprecated API Migration Guide`, apis: all })}\n`,
);
console.log(`${APIS_FILE}: ${all.length}`);

async function lifecycles(file: string): Promise<ApiLifecycle[]> {
  const version = basename(dirname(file));
  const group = /GroupName = "(.*)"/.exec(await readFile(join(dirname(file), 'register.go'), 'utf8'))?.[1] ?? '';
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const kinds = new Map<string, ApiLifecycle>();
  for (const [, kind = '', what, minor, useGroup = '', useVersion, useKind] of (await readFile(file, 'utf8')).matchAll(
    FUNCTION,
  )) {
    const one = kinds.get(kind) ?? { apiVersion, kind };
    const use = `${useGroup === '' ? '' : `${useGroup}/`}${useVersion ?? ''}${useKind?.replace(/List$/, '') === kind ? '' : ` ${useKind ?? ''}`}`;
    kinds.set(kind, {
      ...one,
      ...(what === 'Deprecated' ? { deprecated: Number(minor) } : {}),
      ...(what === 'Removed' ? { removed: Number(minor) } : {}),
      ...(what === 'Replacement' ? { use } : {}),
    });
  }
  return [...kinds.values()].filter(({ kind }) => !kind.endsWith('List') || !kinds.has(kind.slice(0, -'List'.length)));
}
