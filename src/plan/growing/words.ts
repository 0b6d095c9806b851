/** Growing volumes in words. Pure. */
import type { ClaimGrowth, Growth } from '../../contract/growing.ts';

/** `claim data-database-0 from 1Gi to 2Gi (class fast)` */
export function claimWords({ name, from, to, storageClass }: ClaimGrowth): string {
  return `claim ${name} from ${from} to ${to}${storageClass === undefined ? '' : ` (class ${storageClass})`}`;
}

export function setWords({ sets }: Pick<Growth, 'sets'>): string {
  return `${sets.length === 1 ? 'StatefulSet' : 'StatefulSets'} ${sets.map(({ name }) => name).join(', ')}`;
}

/** In one sentence, without its end. */
export function growthWords({ claims, sets }: Growth): string {
  const grows =
    claims.length === 0 ? '' : `${claims.map(claimWords).join(', ')} ${claims.length === 1 ? 'grows' : 'grow'}`;
  const replaced =
    sets.length === 0
      ? ''
      : `${setWords({ sets })} ${sets.length === 1 ? 'is' : 'are'} replaced without ${sets.length === 1 ? 'its' : 'their'} pods, which go on`;
  return [grows, replaced].filter((part) => part !== '').join('; ');
}

/** What the API server has against a larger claim, and what helps. @param said in its own words */
export function refusedExpansion({ name, from, to, storageClass }: ClaimGrowth, said: string): string {
  const text = said.replace(/^\S+ \S+: (?:\d{3} )?/, '').replaceAll(/\s+/g, ' ');
  const cannot = `claim ${name} cannot grow from ${from} to ${to}: ${text.slice(0, 300)}`;
  if (!/must support resize|dynamically provisioned/.test(said)) return cannot;
  const of = storageClass ?? 'of that claim';
  return `${cannot}. If the driver of StorageClass ${of} can do it, allow it: kubectl patch storageclass ${storageClass ?? 'NAME'} --patch '{"allowVolumeExpansion": true}'; if not, move the data to a larger claim by hand (docs/do/grow.md), or write ${from} again`;
}
