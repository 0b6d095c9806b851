import { join } from 'node:path';
import { loadCatalog } from './src/catalog/index.ts';
import { createKubernetesClient } from './src/clients/kubernetes/index.ts';
import { findObjectDrift } from './src/activities/drift/objects.ts';
import { loadEnvironment } from './src/environment/load.ts';
import { readConfig } from './src/config.ts';
const kubernetes = createKubernetesClient({ kubeconfig: join('/tmp/h/objects-state/sandbox/cluster/kubeconfig'), inCluster: false });
const environment = await loadEnvironment('sandbox', readConfig());
for (let i = 0; i < 3; i++) {
  const t = performance.now();
  const { findings, ...rest } = await findObjectDrift({ kubernetes, catalog: loadCatalog() }, environment, new AbortController().signal);
  console.log(((performance.now() - t) / 1000).toFixed(2), JSON.stringify(rest), findings.length);
  if (i === 2) for (const f of findings) console.log(JSON.stringify(f));
}
kubernetes.close();
