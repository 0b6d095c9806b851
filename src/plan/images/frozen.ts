/** Images that still can be had, but never change again: nobody closes their security holes. Pure. */
import { isTree, type Tree } from '../../environment/files/merge.ts';

export interface FrozenImage {
  /** Release that runs it. */
  release: string;
  /** As far as it is known: with the tag where one is written down. */
  image: string;
  /** In words, for people. */
  warning: string;
}

/** Repositories that hold copies of what once was. */
const FROZEN = /(^|\/)bitnamilegacy\//;

/** @param image reference, e.g. `docker.io/bitnamilegacy/redis:7.4.3-debian-12-r0` */
export function isFrozenImage(image: string): boolean {
  return FROZEN.test(image);
}

export function frozenImage(release: string, image: string): FrozenImage {
  return {
    release,
    image,
    warning: `${release} runs ${image}: frozen and unpatched, Bitnami no longer updates it. Mirror it, and plan to replace it (docs/look-up/upstream-charts.md)`,
  };
}

/**
 * From the values that Helm would get: what a part of a chart that is switched off would run does not count.
 * @param releases values per release, e.g. of `allReleaseInputs` parsed, or of `RenderedInputs`
 */
export function frozenImages(releases: Iterable<readonly [release: string, values: Tree]>): FrozenImage[] {
  return [...releases].flatMap(([release, values]) =>
    [...new Set(imagesIn(values))].filter(isFrozenImage).map((image) => frozenImage(release, image)),
  );
}

function imagesIn(values: Tree): string[] {
  if (values['enabled'] === false) return [];
  return Object.entries(values).flatMap(([key, entry]) => {
    if (!isTree(entry)) return [];
    return /(^i|I)mage$/.test(key) && typeof entry['repository'] === 'string' ? [reference(entry)] : imagesIn(entry);
  });
}

function reference({ registry, repository, tag }: Tree): string {
  const path = typeof registry === 'string' ? `${registry}/${String(repository)}` : String(repository);
  return typeof tag === 'string' ? `${path}:${tag}` : path;
}
