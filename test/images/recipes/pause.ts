import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ARCHITECTURE } from '../debian.ts';
import { tree } from '../layers.ts';
import type { ImageRecipe } from '../types.ts';

/** Holds a pod's namespaces: waits, reaps orphaned processes, ends when asked to. */
const SOURCE = `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGINT, syscall.SIGTERM)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
`;

/** The sandbox image of the node's container runtime. */
export const PAUSE_REFERENCE = 'registry.k8s.io/pause:3.10';

export const pause: ImageRecipe = {
  name: 'pause',
  references: [PAUSE_REFERENCE],
  layers: [
    tree({
      title: 'pause',
      key: SOURCE,
      async make(folder, work, context) {
        const source = join(work, 'pause');
        await mkdir(source);
        await writeFile(join(source, 'main.go'), SOURCE);
        await writeFile(join(source, 'go.mod'), 'module pause\n\ngo 1.22\n');
        await context.run('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', join(folder, 'pause'), '.'], {
          cwd: source,
          env: { CGO_ENABLED: '0', GOOS: 'linux', GOARCH: ARCHITECTURE },
        });
      },
    }),
  ],
  entrypoint: ['/pause'],
  user: '65535:65535',
};
