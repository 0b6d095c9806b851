import type { Image } from '../../src/catalog/schema.ts';

/** The name under which charts ask for an image of the catalog; the platform's own ones get the prefix. */
export function referenceOf(image: Image, prefix?: string): string {
  return `${image.own && prefix !== undefined ? `${prefix}/` : ''}${image.repository}:${image.tag}`;
}
