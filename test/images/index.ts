/**
 * Images for tests on a real node, made from packages, since no registry can be asked. `node launcher.mjs --run
 * test/images/main.ts [NAME …]` builds them by hand.
 */
import { flyway } from './recipes/flyway.ts';
import { jaeger } from './recipes/jaeger.ts';
import { keycloak, keycloakConfigCli } from './recipes/keycloak.ts';
import { minio, minioClient } from './recipes/minio.ts';
import { mongodb } from './recipes/mongodb.ts';
import { pause } from './recipes/pause.ts';
import { postgres, postgresWithTools } from './recipes/postgres.ts';
import { rabbitmq } from './recipes/rabbitmq.ts';
import { redis } from './recipes/redis.ts';
import { standIns } from './recipes/stand-in.ts';
import { temporal, temporalAdminTools, temporalUi } from './recipes/temporal.ts';
import { vault } from './recipes/vault.ts';
import type { ImageRecipe } from './types.ts';

export { buildImages, builtLayer } from './build.ts';
export { debian } from './debian.ts';
export { digestOf, files, tree, users } from './layers.ts';
export type { Entry, User } from './layers.ts';
export { minioPrograms } from './recipes/minio.ts';
export { mavenArtifacts } from './maven.ts';
export { requirePrograms } from './programs.ts';
export { referenceOf } from './reference.ts';
export type { BuildContext, BuiltImages, ImageRecipe, Layer } from './types.ts';

/** All images that the tests have; a new recipe gets its line here. */
export const RECIPES: readonly ImageRecipe[] = [
  pause,
  redis,
  postgres,
  rabbitmq,
  flyway,
  jaeger,
  keycloak,
  keycloakConfigCli,
  minio,
  minioClient,
  mongodb,
  temporal,
  temporalAdminTools,
  temporalUi,
  vault,
  ...standIns(),
];

/** A database that can be dumped, and its migrations: of no service of the platform, for one test. */
export const DATABASE_RECIPES: readonly ImageRecipe[] = [pause, postgresWithTools, flyway];
