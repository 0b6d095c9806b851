/** Shapes of the images that the tests make, since no registry can be asked for the publishers' own. */

/** What a layer needs while it is built. */
export interface BuildContext {
  cacheDir: string;
  /**
   * Runs a program to its end, gently, standard input closed.
   * @returns its standard output; throws with its last lines when it fails
   */
  run(
    program: string,
    args: readonly string[],
    options?: { cwd?: string; env?: Readonly<Record<string, string>> },
  ): Promise<string>;
  /** Unpacks layers that were built before into a folder. */
  unpack(layers: readonly Layer[], folder: string): Promise<void>;
  say(line: string): void;
}

/** A part of a root file system. Layers of one key are built once, and stored once however many images have them. */
export interface Layer {
  /** For people: `Debian with redis-server`. */
  title: string;
  /** Everything that decides about the content: versions, texts of files, the way it is made. */
  key: string;
  /** Built before this one. */
  needs: readonly Layer[];
  /** One at a time within a lane: apt has locks, compilers want all cores. */
  lane: 'apt' | 'other';
  /** Fills `folder`, which then is the layer; `work` is for leftovers. Owners and modes are kept, times are not. */
  build(folder: string, work: string, context: BuildContext): Promise<void>;
}

/** An image: layers, lowest first, and what a container starts with. */
export interface ImageRecipe {
  name: string;
  /** Full names with tags, exactly as charts write them: `docker.io/library/redis:7.4.9-alpine`. */
  references: readonly string[];
  layers: readonly Layer[];
  entrypoint?: readonly string[];
  cmd?: readonly string[];
  /** `uid` or `uid:gid` in digits; charts set their own all the same. */
  user?: string;
  env?: Readonly<Record<string, string>>;
  workdir?: string;
  ports?: readonly number[];
  /** The signal that the runtime sends to stop it; SIGTERM by default. */
  stopSignal?: string;
}

/** Images in one archive in OCI layout, for `ctr images import`; shared layers are in it once. */
export interface BuiltImages {
  /** Path of the tar; its name holds the digest of all that is in it. */
  archive: string;
  /** Every reference in it, with the digest of its manifest. */
  images: readonly { reference: string; digest: string }[];
}
