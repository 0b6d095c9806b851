export type { VaultApi, VaultHealth, VaultSession } from './api.ts';
export { createVaultClient, isAway, type VaultClient, type VaultOptions, type VaultState } from './client.ts';
export { VaultError, VaultKeysMissingError, VaultSealedError, VaultUnreachableError } from './errors.ts';
export { historyOfKv, KvConflictError, type KvEntry, type KvHistory, readKv, readKvVersion, undeleteKv, versionOfKv, writeKv } from './kv.ts';
export { createTunnel, type Tunnel, type TunnelRequest } from './tunnel.ts';
