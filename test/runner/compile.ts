/**
 * Loads what most processes of the tests load, so that they find it compiled: Node keeps that when a process ends, and
 * on a fresh clone all that begin at once would compile the same.
 */
import '../../bootstrap/index.ts';
import '../../src/activities/index.ts';
import '../../src/cli/deploy/deployment.ts';
import '../../src/cli/main.ts';
import '../../src/clients/index.ts';
import '../../src/worker/serving.ts';
