/** The labels of a revision that is applied from the checkout: whose it is, what it holds, and who applies it. */
import type { Catalog } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import type { ApplyReleaseInput } from '../../contract/activities.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import type { ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { NO_PROOF } from '../../plan/ownership/provenance.ts';
import { allReleases } from '../../plan/releases.ts';
import { applierLabels } from './applier.ts';
import type { JudgedRevision } from './provenance.ts';
import type { Release } from './recover.ts';

/** @param found the revision before */
export async function labelsOf(
  clients: Pick<Clients, 'config' | 'catalog' | 'environment'>,
  { run, service, step }: ApplyReleaseInput,
  inputs: ReleaseInputs,
  found: JudgedRevision | undefined,
): Promise<Record<string, string>> {
  return {
    // That of the revision before proves nothing of this one.
    ...(found?.labels[RELEASE_LABELS.proof] === undefined ? {} : { [RELEASE_LABELS.proof]: NO_PROOF }),
    [RELEASE_LABELS.environment]: run.environment,
    [RELEASE_LABELS.service]: service,
    ...(isOfCatalog(clients.catalog, step) ? { [RELEASE_LABELS.platform]: clients.catalog.name } : {}),
    [RELEASE_LABELS.run]: run.runId,
    [RELEASE_LABELS.digest]: step.digest,
    [RELEASE_LABELS.charts]: inputs.upstream === undefined ? 'bundled' : 'upstream',
    ...(await applierLabels(clients)),
  };
}

function isOfCatalog(catalog: Catalog, { namespace, name }: Release): boolean {
  return allReleases(catalog).some((release) => release.namespace === namespace && release.name === name);
}
