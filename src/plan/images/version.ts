/** What stands behind an image's name: a tag, or the digest of one image that nobody can replace. */

export function isDigest(version: string): boolean {
  return version.startsWith('sha256:');
}

/** For charts that only know `repository:tag`: container runtimes take both and go by the digest. */
export function asTag(version: string): string {
  return isDigest(version) ? `pinned@${version}` : version;
}
