/** Helm's record of a revision, as the Secret that the API server holds. */
import { gzipSync } from 'node:zlib';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';

export interface RecordSample {
  namespace: string;
  release: string;
  revision: number;
  status?: string;
  chart?: string;
  manifest?: string;
  /** Values that were given. */
  config?: Record<string, unknown>;
  /** Beside Helm's own. */
  labels?: Record<string, string>;
  manager?: string;
  /** Since Helm wrote it. */
  ageSeconds?: number;
  /** What stands where the record should be. */
  junk?: string;
}

/** @returns its path in the API, and the Secret */
export function helmRecord(sample: RecordSample): [string, KubernetesObject] {
  const { namespace, release, revision, status = 'deployed', chart = 'service', manifest = '', labels = {} } = sample;
  const name = `sh.helm.release.v1.${release}.v${revision}`;
  const stored = {
    name: release,
    namespace,
    version: revision,
    manifest,
    config: sample.config ?? null,
    hooks: null,
    info: { status },
    chart: { metadata: { name: chart, version: '1.2.3' } },
  };
  const packed = sample.junk ?? gzipSync(JSON.stringify(stored)).toString('base64');
  const writtenAt = Math.floor(Date.now() / 1000) - (sample.ageSeconds ?? 5);
  return [
    `/api/v1/namespaces/${namespace}/secrets/${name}`,
    {
      metadata: {
        name,
        namespace,
        uid: `uid-${release}-${revision}`,
        resourceVersion: '1',
        managedFields: [{ manager: sample.manager ?? 'helm', operation: 'Update' }],
        labels: {
          owner: 'helm',
          name: release,
          version: String(revision),
          status,
          modifiedAt: String(writtenAt),
          ...labels,
        },
      },
      data: { release: Buffer.from(packed).toString('base64') },
    },
  ];
}

/** Labels of a revision that a deployment of ours wrote. */
export function ourLabels(run: string, digest: string, environment = 'sandbox'): Record<string, string> {
  return { 'ananta-environment': environment, 'ananta-run': run, 'ananta-digest': digest };
}
