/** What the deployer changes in what a chart renders, before Helm applies and records it. */
import type { LeftField } from '../fields/left.ts';
import { withoutLeftFields } from '../fields/left.ts';
import { labelledManifest } from '../ownership/owner-label.ts';
import type { ReleaseInputs } from './release-inputs.ts';

/** @returns undefined: it is applied as it is, and Helm needs nobody beside it */
export function renderedChange(
  { owner }: Pick<ReleaseInputs, 'owner'>,
  left: readonly LeftField[],
  { namespace }: { namespace: string },
): ((manifest: string) => string) | undefined {
  if (owner === undefined && left.length === 0) return undefined;
  return (manifest) => {
    const remaining = left.length === 0 ? manifest : withoutLeftFields(manifest, left, namespace);
    return owner === undefined ? remaining : labelledManifest(remaining, owner);
  };
}
