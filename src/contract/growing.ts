/** Volumes that grow: what of a release has to be done for it beside applying it. */

export interface ClaimGrowth {
  /** Of the PersistentVolumeClaim, in the release's namespace. */
  name: string;
  /** What it has now, and what it shall have: `10Gi`. */
  from: string;
  to: string;
  storageClass?: string;
}

/** A StatefulSet whose claim templates change: the API server takes no change of them in place. */
export interface SetReplacement {
  name: string;
  /** What its claim templates ask for afterwards, by their names. */
  sizes: Record<string, string>;
}

export interface Growth {
  claims: ClaimGrowth[];
  sets: SetReplacement[];
}
