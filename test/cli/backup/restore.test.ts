/** What a refused restoration says about what it has touched. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireAllowed } from '../../../src/cli/backup/restore.ts';
import type { CliError } from '../../../src/cli/shared/failure.ts';

const plan = {
  records: [],
  vault: { action: 'restore' as const, lost: [] },
  needs: [{ over: 'newer' as const, why: 'secrets were written since' }],
  problems: [],
};
const options = { env: 'staging', identity: 'key.txt' };

describe('a restoration that is refused', () => {
  test('says that nothing was touched only where that is so', () => {
    assert.throws(
      () => requireAllowed(plan, 'FILE', options),
      /Not restored, nothing was touched: secrets were written/,
    );
    assert.throws(
      () => requireAllowed(plan, 'FILE', options, 'Vault was opened'),
      (error: CliError) => {
        assert.match(error.message, /^Not restored, Vault was opened: secrets were written since\.$/);
        assert.doesNotMatch(error.message, /nothing/);
        return true;
      },
    );
    requireAllowed(plan, 'FILE', { ...options, over: ['newer'] });
  });
});
