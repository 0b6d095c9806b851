export type { VaultApi, VaultHealth, VaultSession } from './api.ts';
export { createVaultClient, isAway, type VaultClient, type VaultOptions, type VaultState } from './client.ts';
export {
  SecretFormatError,
  VaultError,
  VaultKeysMissingError,
  VaultSealedError,
  VaultUnreachableError,
  VaultWaitsForPeopleError,
} from './errors.ts';
export { type KeyStore, opens, type VaultKeys } from './keys.ts';
export { readAuthority, vaultTls } from './authority.ts';
export { createDirectTunnel } from './direct.ts';
export { createKeyFile } from './keys-file.ts';
export { createKeySecret } from './keys-secret.ts';
export { createKeySpool, type KeySpool } from './keys-spool.ts';
export { typeName } from './json.ts';
export type { OpenOptions, VaultServer } from './open.ts';
export { PublicKeyError, readPublicKey } from './public-keys.ts';
export {
  historyOfKv,
  KvConflictError,
  type KvEntry,
  type KvHistory,
  readKv,
  readKvVersion,
  undeleteKv,
  versionOfKv,
  writeKv,
} from './kv.ts';
export { createTunnel, type Tunnel, type TunnelRequest } from './tunnel.ts';
