import { IMAGES } from '../../../src/catalog/images.ts';
import { goModule, goPrograms } from '../go-programs.ts';
import { files } from '../layers.ts';
import { referenceOf } from '../reference.ts';
import type { ImageRecipe } from '../types.ts';

/**
 * Jaeger 2.13: its commit has the tag v1.76.0, too, the last one under the module's name. Of its parts those that a
 * file of configuration would have to ask for are left out, three quarters of what would be compiled: all storages but
 * memory, Kafka, sampling by tails. What it does without such a file is the publisher's code.
 */
export const jaeger: ImageRecipe = {
  name: 'jaeger',
  references: [referenceOf(IMAGES.jaeger)],
  layers: [
    goPrograms('Jaeger', goModule('jaeger'), [
      {
        path: '/cmd/jaeger/jaeger-linux',
        package: 'github.com/jaegertracing/jaeger/cmd/jaeger',
        variables: { 'github.com/jaegertracing/jaeger/internal/version.latestVersion': 'v2.13.0' },
        overlay: {
          module: 'github.com/jaegertracing/jaeger',
          folder: 'in-memory',
          without: ['internal/storage/v1/factory/config.go'],
        },
      },
    ]),
    files('Jaeger image', [{ path: '/tmp', folder: true, mode: 0o1777 }]),
  ],
  entrypoint: ['/cmd/jaeger/jaeger-linux'],
  user: '10001',
  ports: [4317, 4318, 16686],
};
