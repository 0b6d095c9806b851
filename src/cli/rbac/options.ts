import type { IdentityName } from '../../plan/access/identities.ts';

export interface RbacOptions {
  env: string;
  identity?: IdentityName;
  json?: true;
}
