/**
 * Writes environments/environment.schema.json from src/environment/schema.ts. Run it after changing the schema: node
 * launcher.mjs --run scripts/generate-schema.ts
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../src/config.ts';
import { environmentJsonSchema } from '../src/environment/json-schema.ts';

const file = join(readConfig().repoRoot, 'environments', 'environment.schema.json');
await writeFile(file, environmentJsonSchema());
console.log(`wrote ${file}`);
