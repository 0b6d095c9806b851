/** The JSON Schema that editors use for files in environments/. */
import { z } from 'zod';
import { isTree, type Tree } from './files/merge.ts';
import { environmentFileSchema } from './schema.ts';

/** @returns the text of environments/environment.schema.json */
export function environmentJsonSchema(): string {
  const schema = z.toJSONSchema(environmentFileSchema, { io: 'input' }) as Tree;
  return `${JSON.stringify({ ...withoutRequired(schema), title: 'Environment of ananta-deploy' }, null, 2)}\n`;
}

/** What a file leaves out may come from the one that it extends: only loading shows what is missing. */
function withoutRequired(value: unknown): Tree {
  const clean = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(clean);
    if (!isTree(part)) return part;
    // `required` is a keyword where it is a list; a property may bear the name, too.
    return Object.fromEntries(
      Object.entries(part)
        .filter(([key, entry]) => !(key === 'required' && Array.isArray(entry)))
        .map(([key, entry]) => [key, clean(entry)]),
    );
  };
  return clean(value) as Tree;
}
