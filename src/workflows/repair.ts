/** Brings back what has drifted, through the deployment's own activities; what is right is left untouched. */
import type { OperationResult } from '../contract/deploy.ts';
import { FAILURES } from '../contract/failures.ts';
import type { RepairInput } from '../contract/repair.ts';
import { ground, namespaces, reads, vault } from './activity-proxies.ts';
import { failureOf } from './failure-of.ts';
import { runOperation } from './operation.ts';

export function repair(input: RepairInput): Promise<OperationResult> {
  const { findings } = input;
  return runOperation({
    operation: 'repair',
    input,
    plan: (run) =>
      reads.planRepair.executeWithOptions({ summary: 'Plan: releases that have drifted' }, [{ run, findings }]),
    before: async (run, plan) => {
      const wants = (repair: string): boolean => findings.some((finding) => finding.repair === repair);
      if (wants('namespace'))
        await namespaces.ensureNamespaces.executeWithOptions({ summary: 'Namespaces of the platform' }, [run]);
      if (wants('unseal') || wants('vault'))
        await vault.openVault.executeWithOptions({ summary: 'Unseal Vault' }, [run]);
      if (wants('vault')) {
        await vault.configureVault.executeWithOptions({ summary: 'KV v2, Kubernetes auth, policies and roles' }, [run]);
        await vault.seedVault
          .executeWithOptions({ summary: 'Write the secrets that are missing' }, [run])
          .catch(unlessLost);
      }
      if (wants('secret') || wants('vault') || wants('namespace'))
        await vault.syncSecrets.executeWithOptions({ summary: 'Make Kubernetes Secrets from Vault' }, [run]);
      const { refused = [] } = await ground.repairFindings.executeWithOptions(
        { summary: 'What no release can repair' },
        [{ run, findings }],
      );
      return refused.length > 0 ? { notes: [...(plan.notes ?? []), ...refused] } : {};
    },
  });
}

/** What only a person can bring back keeps nothing else from being repaired. */
function unlessLost(error: unknown): void {
  if (failureOf(error).type !== FAILURES.secretLost) throw error;
}
