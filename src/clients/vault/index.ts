export type { VaultApi, VaultHealth, VaultSession } from './api.ts';
export { createVaultClient, isAway, type VaultClient, type VaultOptions, type VaultState } from './client.ts';
export { VaultError, VaultKeysMissingError, VaultSealedError, VaultUnreachableError } from './errors.ts';
export { KvConflictError, type KvEntry, readKv, versionOfKv, writeKv } from './kv.ts';
export { createTunnel, type Tunnel, type TunnelRequest } from './tunnel.ts';
