/** Layers with programs that are compiled from the Go modules in `go/`: what those pin, and nothing newer. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withLock } from '../../bootstrap/process/lock.ts';
import { findGo, goBuildArguments } from '../../bootstrap/tools/go/build.ts';
import { goEnvironment, prepareGoHome } from '../../bootstrap/tools/go/environment.ts';
import { goLock, lockFolder } from '../../bootstrap/tools/layout.ts';
import { readConfig } from '../../src/config.ts';
import { tree } from './layers.ts';
import type { BuildContext, Layer } from './types.ts';

export interface GoProgram {
  /** Where it is in the image, e.g. /usr/bin/minio. */
  path: string;
  package: string;
  tags?: readonly string[];
  /** Linker variables, mostly the version that publishers stamp in. */
  variables?: Readonly<Record<string, string>>;
  /**
   * Files of a dependency that are others, or are missing: one with its path in the module and its text, or a folder
   * beside go.mod with all of them; `without` are left out.
   */
  overlay?:
    | { module: string; file: string; text: string }
    | { module: string; folder: string; without: readonly string[] };
}

/**
 * A layer with programs of one module; the first one pays for what they share.
 * @param module folder with go.mod and go.sum, and sources of our own where there are any
 * @param files further files of the downloaded modules: path in the image → module and folder
 */
export function goPrograms(
  title: string,
  module: string,
  programs: readonly GoProgram[],
  files: Readonly<Record<string, { module: string; folder: string }>> = {},
): Layer {
  return tree({
    title,
    key: JSON.stringify([programs, files, sourcesOf(module)]),
    async make(folder, work, context) {
      const config = readConfig();
      const go = await findGo(config.cacheDir, config.childEnv);
      const env = { ...goEnvironment(config.cacheDir, config.childEnv), GOTMPDIR: work };
      const said = { cwd: module, env };
      await mkdir(lockFolder(config.cacheDir), { recursive: true });
      // Whoever has this lock may use Go's caches; they are removed under it, too.
      await withLock(
        goLock(config.cacheDir),
        {
          onWait: () => {
            context.say(`${title}: waiting for another Go build`);
          },
        },
        async () => {
          await prepareGoHome(config.cacheDir);
          for (const program of programs) await build(go.path, program, { folder, work }, context, said);
          for (const [path, of] of Object.entries(files)) {
            await mkdir(dirname(join(folder, path)), { recursive: true });
            await context.run('cp', [
              '-r',
              '--no-preserve=mode',
              join(await folderOf(go.path, of.module, context, said), of.folder),
              join(folder, path),
            ]);
          }
        },
      );
    },
  });
}

type Said = { cwd: string; env: Record<string, string> };

async function build(
  go: string,
  program: GoProgram,
  { folder, work }: { folder: string; work: string },
  context: BuildContext,
  said: Said,
): Promise<void> {
  const { overlay } = program;
  const args = goBuildArguments(program);
  if (overlay) {
    // A copy, named by a go.mod beside: Go overlays nothing in its module cache.
    const copy = join(work, 'module');
    await context.run('cp', ['-r', '--no-preserve=mode', await folderOf(go, overlay.module, context, said), copy]);
    const others: Record<string, string> =
      'file' in overlay
        ? { [overlay.file]: overlay.text }
        : Object.fromEntries(sourcesOf(join(said.cwd, overlay.folder)));
    for (const path of 'without' in overlay ? overlay.without : []) await rm(join(copy, path));
    for (const [path, text] of Object.entries(others)) {
      if (!existsSync(dirname(join(copy, path)))) throw new Error(`${overlay.module} has no place for ${path}`);
      await writeFile(join(copy, path), text);
    }
    for (const name of ['go.mod', 'go.sum']) await copyFile(join(said.cwd, name), join(work, name));
    await context.run(go, ['mod', 'edit', `-replace=${overlay.module}=${copy}`, join(work, 'go.mod')], said);
    args.push(`-modfile=${join(work, 'go.mod')}`);
  }
  await context.run(go, [...args, '-o', join(folder, program.path), program.package], said);
}

async function folderOf(go: string, module: string, context: BuildContext, said: Said): Promise<string> {
  await context.run(go, ['mod', 'download', module], said);
  return (await context.run(go, ['list', '-m', '-f', '{{.Dir}}', module], said)).trim();
}

function sourcesOf(folder: string): [string, string][] {
  return globSync('**/*', { cwd: folder })
    .sort()
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => [path, readFileSync(join(folder, path), 'utf8')]);
}

/** The module of that name in `go/`. */
export function goModule(name: string): string {
  return join(import.meta.dirname, 'go', name);
}
