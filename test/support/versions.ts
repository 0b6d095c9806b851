/** Versions of a platform as they are kept after an operation, for tests that say what matters to them. */
import type { PlatformVersion, VersionedRelease } from '../../src/contract/version.ts';

export function sampleRelease(name: string, more: Partial<VersionedRelease> = {}): VersionedRelease {
  return {
    service: name,
    name,
    namespace: 'ns',
    job: false,
    revision: 1,
    digest: 'd1',
    chart: { name: 'service', version: '1.0.0' },
    images: [],
    ...more,
  };
}

export function sampleVersion(number: number, more: Partial<PlatformVersion> = {}): PlatformVersion {
  return {
    version: number,
    environment: 'sandbox',
    clusterUid: 'uid',
    operation: 'deploy',
    at: '2026-01-01T00:00:00Z',
    requestedBy: 'a@b',
    planDigest: 'p',
    workflowId: 'w',
    runId: `run-${number}`,
    seconds: 1,
    imageTags: {},
    services: [],
    releases: [],
    ...more,
  };
}
