// Plain JavaScript: it is loaded by other teams' workflows from node_modules, where no types are stripped.
import { operation, service } from 'nexus-rpc';

/** The Nexus service of an environment's deployer. One endpoint for each environment: `ananta-<environment>`. */
export const ananta = service('ananta', {
  status: operation(),
  verify: operation(),
  deploy: operation(),
  promote: operation(),
});

/** @param {string} environment @returns {string} the endpoint's name, where its file says no other */
export function endpointOf(environment) {
  return `ananta-${environment.replaceAll(/[^a-zA-Z0-9]+/g, '-').replace(/-+$/, '')}`;
}
