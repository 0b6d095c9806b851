/** The labels that distinguish the real node from the simulated ones. */

/** Label of the real node, and the selector that its pods get. */
export const REAL_LABEL = 'ananta.dev/node';
export const REAL_VALUE = 'real';
/** Keeps every pod away that was not sent there. */
export const REAL_TAINT = { key: 'ananta.dev/real', value: 'true', effect: 'NoSchedule' } as const;
/** StorageClass of volumes on the real node. */
export const REAL_STORAGE_CLASS = 'real';
/** Who makes them: the node's agent. */
export const PROVISIONER = 'ananta.dev/local-folder';
