/**
 * Writes the tables of docs/understand/secrets.md from the catalog. Run it after changing who reads what: node
 * launcher.mjs --run scripts/generate-secret-tables.ts
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCatalog } from '../src/catalog/index.ts';
import { readConfig } from '../src/config.ts';
import { withSecretTables } from '../src/plan/render/secrets.ts';

const file = join(readConfig().repoRoot, 'docs', 'understand', 'secrets.md');
await writeFile(file, withSecretTables(await readFile(file, 'utf8'), loadCatalog()));
console.log(`wrote ${file}`);
