import { join } from 'node:path';
import { IMAGES } from '../../../src/catalog/images.ts';
import { debian } from '../debian.ts';
import { goPrograms } from '../go-programs.ts';
import { files, users } from '../layers.ts';
import { referenceOf } from '../reference.ts';
import type { ImageRecipe } from '../types.ts';

/** The publisher's `minimal` build with the auth method that its images have built in, too. */
const REGISTRY = `package builtinplugins

import credKube "github.com/hashicorp/vault-plugin-auth-kubernetes"

func extendAddonPlugins(reg *registry) {
	reg.credentialBackends["kubernetes"] = credentialBackend{Factory: credKube.Factory}
}
`;

/** The embedded environment's Vault, 1.21.0, as a pod. */
export const vault: ImageRecipe = {
  name: 'vault',
  references: [referenceOf(IMAGES.vault)],
  layers: [
    ...debian(),
    goPrograms('Vault', join(import.meta.dirname, '../../../bootstrap/tools/gomod/vault'), [
      {
        path: '/usr/bin/vault',
        package: 'github.com/hashicorp/vault',
        tags: ['minimal'],
        overlay: {
          module: 'github.com/hashicorp/vault',
          file: 'helper/builtinplugins/registry_min.go',
          text: REGISTRY,
        },
      },
    ]),
    files('Vault image', [
      ...users({ name: 'vault', uid: 100, gid: 1000, home: '/home/vault' }),
      { path: '/home/vault', folder: true, uid: 100, gid: 1000 },
    ]),
  ],
  entrypoint: ['vault'],
  ports: [8200],
};
