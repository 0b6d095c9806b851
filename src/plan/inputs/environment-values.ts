/** What an environment says of a release's values, on top of what follows from catalog, environment and files. Pure. */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import type { Environment } from '../../environment/schema.ts';

type Said = Pick<Environment, 'values'>;

/**
 * @param imageTags tag per release, from the command line: what is said of the image gives way to it
 * @returns the values with what the environment says of this release
 */
export function withEnvironmentValues(
  values: Tree,
  { values: said }: Said,
  release: string,
  imageTags: Readonly<Record<string, string>> = {},
): Tree {
  const own = said[release];
  if (own === undefined) return values;
  return patched(values, imageTags[release] === undefined ? own : withoutImage(own));
}

/** Groups of keys are merged, everything else is replaced, null takes the key out. */
export function patched(values: Tree, patch: Tree): Tree {
  const kept = Object.entries(values).filter(([key]) => patch[key] !== null);
  const said = Object.entries(patch)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => {
      const below = values[key];
      return [key, isTree(value) ? patched(isTree(below) ? below : {}, value) : value] as const;
    });
  return Object.fromEntries([...kept, ...said]);
}

function withoutImage({ image, ...others }: Tree): Tree {
  if (!isTree(image)) return others;
  const { tag: _tag, digest: _digest, ...rest } = image;
  return { ...others, image: rest };
}
