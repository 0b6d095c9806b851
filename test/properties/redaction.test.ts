/** No secret that the process knows appears in its output, in whatever form programs encode it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRedactor } from '../../src/clients/redact.ts';
import { withoutSecrets } from '../../src/plan/diff/redact.ts';
import './arbitrary.ts';

const secrets = fc.oneof(
  fc.string({ minLength: 6, maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('a', '"', '\\', '\n', '$', ' ', '/', '+', '=', 'ü', '%', '&'),
    minLength: 6,
    maxLength: 20,
  }),
);
const FORMS: Record<string, (value: string) => string> = {
  plain: (value) => value,
  'in JSON': (value) => JSON.stringify(value),
  'in JSON in JSON': (value) => JSON.stringify(JSON.stringify(value)),
  'in an address': (value) => `https://host/?key=${encodeURIComponent(value)}`,
  base64: (value) => Buffer.from(value).toString('base64'),
  'base64 for addresses': (value) => Buffer.from(value).toString('base64url'),
};

for (const [form, write] of Object.entries(FORMS))
  test(`a value that was read is hidden: ${form}`, () => {
    fc.assert(
      fc.property(secrets, fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (value, before, after) => {
        const { learn, redact, redactForeign } = createRedactor();
        learn(value);
        const core = write(value).replace(/^"|"$/g, '');
        for (const said of [redact, redactForeign].map((hide) => hide(`${before}|${write(value)}|${after}`)))
          assert.ok(!said.includes(core) || `${before}|[redacted]|${after}`.includes(core), said);
      }),
    );
  });

test('neither a Secret nor a variable that sounds secret shows its value', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 8, maxLength: 30, unit: fc.constantFrom('a', 'Z', '0', '$', '%', '+', '/', '"') }),
      (value) => {
        const shown = [
          { kind: 'Secret', data: { any: value }, stringData: { other: value } },
          { kind: 'Deployment', spec: { containers: [{ env: [{ name: 'DB_PASS', value }] }] } },
          { kind: 'ConfigMap', data: { API_TOKEN: value } },
        ].map((object) => JSON.stringify(withoutSecrets(object)));
        for (const text of shown) assert.ok(!text.includes(JSON.stringify(value).slice(1, -1)), text);
      },
    ),
  );
});
