/** Builds the images named on the command line, all without a name, and prints the archive's path. */
import { readConfig } from '../../src/config.ts';
import { RECIPES, buildImages } from './index.ts';

const names = process.argv.slice(2).filter((name) => name !== '--');
const unknown = names.filter((name) => !RECIPES.some((recipe) => recipe.name === name));
if (unknown.length > 0) {
  console.error(
    `there is no image ${unknown.join(', ')}; there are ${RECIPES.map((recipe) => recipe.name).join(', ')}`,
  );
  process.exit(3);
}
const built = await buildImages(
  readConfig(),
  RECIPES.filter((recipe) => names.length === 0 || names.includes(recipe.name)),
  (line) => console.error(line),
);
for (const { reference, digest } of built.images) console.error(`${reference} ${digest}`);
console.log(built.archive);
