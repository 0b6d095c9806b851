/**
 * The library's KubeConfig, with its ways to log in. Of what is generated it needs two small files, but asks for all of
 * it: a thousand modules that nobody here uses, and 0.3 s of a processor for every command.
 */
import { registerHooks } from 'node:module';
import type { KubeConfig as LibraryKubeConfig } from '@kubernetes/client-node';

const ASKING = '/@kubernetes/client-node/dist/config.js';
const hooks = registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === './gen/index.js' && context.parentURL?.endsWith(ASKING) === true
      ? { url: new URL('kubeconfig-class-generated.ts', import.meta.url).href, shortCircuit: true }
      : nextResolve(specifier, context),
});
export const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js').finally(() => {
  hooks.deregister();
});
export type KubeConfig = LibraryKubeConfig;
