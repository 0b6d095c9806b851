/** The operations of the Nexus service: those that only look first. */
export const NEXUS_OPERATIONS = ['status', 'verify', 'deploy', 'promote'] as const;
export type NexusOperation = (typeof NEXUS_OPERATIONS)[number];

/** Those that a workflow carries out. */
export type NexusRun = Exclude<NexusOperation, 'status'>;

/** What is done where somebody holds the lock. */
export const IF_RUNNING = ['queue', 'attach', 'refuse'] as const;
export type NexusIfRunning = (typeof IF_RUNNING)[number];
