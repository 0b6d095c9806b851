/** A worker as a process of its own, with its own state folder: it has a Helm at work and says by which label. */
import { createHelmClient } from '../../../src/clients/helm/index.ts';
import { ownerLabel } from '../../../src/process/owner.ts';

const [binary = '', stateDir = '', clusterUid] = process.argv.slice(2);
const client = createHelmClient({
  binary,
  stateDir,
  concurrency: 1,
  timeoutSeconds: 60,
  env: { PATH: process.env['PATH'] ?? '' },
  kubernetes: { kubeconfig: '/a/kubeconfig', inCluster: false },
});
const request = { namespace: 'ns', release: 'api', chart: '/a/chart', values: '', labels: { a: 'b' }, runId: 'run-1' };
void client.upgrade({ ...request, clusterUid, priority: 0 }).catch(() => undefined);
console.log(await ownerLabel(undefined));
