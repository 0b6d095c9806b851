/** Who applies a revision: read from its labels, when an unfinished one is found. */
import { boundSeconds } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { ownerLabel } from '../../process/owner.ts';

/** Of a Helm that this process starts. */
export async function applierLabels({
  config,
  environment,
}: Pick<Clients, 'config' | 'environment'>): Promise<Record<string, string>> {
  return {
    [RELEASE_LABELS.owner]: await ownerLabel(config.pod?.uid),
    [RELEASE_LABELS.bound]: String(boundSeconds(environment.helm.timeoutSeconds)),
  };
}
