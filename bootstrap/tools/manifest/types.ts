import type { Platform, ToolName } from '../types.ts';
import type { VersionQuery, VersionRange } from './versions.ts';

/**
 * What a downloaded file must hash to. `pinned`: the sha256 itself, known here. `publisher-file`: only the publisher's
 * own list of checksums could be named; it is fetched over TLS and must name the file.
 */
export type Checksum = { kind: 'pinned'; sha256: string } | { kind: 'publisher-file'; url: string };

/** A file that the publisher offers. `member` is the exact path of the program inside the archive. */
export interface Release {
  url: string;
  archive: { kind: 'none' } | { kind: 'tar.gz' | 'zip'; member: string };
  checksum: Checksum;
}

/** Why there is no release for a platform. */
export interface NoRelease {
  unavailable: string;
}

/** How the program is built from a committed Go module in `gomod/<family>`. */
export interface GoBuild {
  family: string;
  package: string;
  tags: readonly string[];
  /** Linker variables (`-X`), mostly the version that publishers stamp in. */
  variables: Readonly<Record<string, string>>;
}

/** Everything known about one tool. */
export interface ToolSpec {
  name: ToolName;
  /** The version that is installed, without "v". */
  version: string;
  /** Versions on the PATH that will do. */
  accepts: VersionRange;
  /** Missing where the program cannot say its version: it is then not looked for on the PATH. */
  versionQuery?: VersionQuery;
  releases: Readonly<Record<Platform, Release | NoRelease>>;
  goBuild: GoBuild;
  /** Asked for only by environments with a real node: Go's caches are not kept for its sake. */
  optional?: true;
}

export type Manifest = Readonly<Partial<Record<ToolName, ToolSpec>>>;
