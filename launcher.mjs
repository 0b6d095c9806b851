#!/usr/bin/env node
/**
 * Stands in front of the CLI and makes the two commands work on a fresh clone: installs the npm dependencies from the
 * lockfile when they are missing or stale, then runs the product on the Node that npm brought along. Runs on Node 20
 * and newer and uses nothing but Node itself.
 *
 *   launcher.mjs COMMAND ...          the CLI
 *   launcher.mjs --run FILE ...       a script of this repository
 *   launcher.mjs --bin NAME ...       a development tool from node_modules
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REFUSED = 3;
const REQUIRED_MAJOR = 24;
const root = dirname(fileURLToPath(import.meta.url));
const modules = join(root, 'node_modules');

function refuse(message) {
  process.stderr.write(`ananta: ${message}\n`);
  process.exit(REFUSED);
}

function checkPlatform() {
  const supported = { linux: ['x64', 'arm64'], darwin: ['x64', 'arm64'] };
  if (!supported[process.platform]?.includes(process.arch)) {
    refuse(`${process.platform} on ${process.arch} is not supported. Use Linux (amd64, arm64) or macOS.`);
  }
  if (Number(process.versions.node.split('.')[0]) < 20)
    refuse(`Node ${process.versions.node} is too old. Install Node 20 or newer.`);
}

/** npm keeps what it installed in node_modules/.package-lock.json: the same packages at the same versions, or stale. */
function dependenciesAreFresh() {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const installed = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(([path, entry]) => {
      if (path === '') return true;
      const found = installed[path];
      // Optional ones are for other machines, except the Node for this one.
      if (!found) return entry.optional === true && path !== `node_modules/node-${process.platform}-${process.arch}`;
      return found.version === entry.version && found.integrity === entry.integrity;
    });
  } catch {
    return false;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Two first commands at once must not both empty node_modules. */
async function withInstallLock(work) {
  const lock = join(root, '.ananta', 'install.lock');
  mkdirSync(dirname(lock), { recursive: true });
  for (let told = false; ; ) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number(readFileSync(lock, 'utf8').trim() || '0');
      if (!isAlive(holder)) {
        rmSync(lock, { force: true });
        continue;
      }
      if (!told) process.stderr.write(`ananta: waiting for process ${holder}, which installs the dependencies\n`);
      told = true;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function install() {
  if (dependenciesAreFresh()) return;
  process.stderr.write('ananta: installing the npm dependencies from the lockfile\n');
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const [command, ...first] = npm;
  // Not `npm ci`: it refuses a lockfile that lacks optional packages for other platforms, which a registry may not
  // serve. This takes the same locked versions, checks their integrity, and writes neither file. npm's own lines go to
  // standard error: standard output belongs to the command.
  const done = spawnSync(command, [...first, 'install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (done.error || done.status !== 0) {
    rmSync(join(modules, '.package-lock.json'), { force: true });
    refuse(
      `npm could not install the dependencies (${done.error?.message ?? `exit code ${done.status}`}). Nothing else was touched. Check the lines above and npm's registry settings, then run the same command again.`,
    );
  }
}

/** The Node that npm brought for this machine, or the one that runs this file when it is new enough. */
function productNode() {
  const brought = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(brought)) return brought;
  if (Number(process.versions.node.split('.')[0]) >= REQUIRED_MAJOR) return process.execPath;
  return refuse(
    `No Node ${REQUIRED_MAJOR} for ${process.platform}-${process.arch} comes with the dependencies, and this is Node ${process.versions.node}. Install Node ${REQUIRED_MAJOR} and run the same command again.`,
  );
}

/**
 * Proxies are for the world outside. Node may look for them (NODE_USE_ENV_PROXY) before any code of ours runs;
 * src/process/proxies.ts does the same for what is started without this launcher.
 */
function directLoopback(env) {
  if (!Object.entries(env).some(([name, value]) => /^(https?|all|grpc)_proxy$/i.test(name) && value)) return {};
  const hosts = [env.no_proxy, env.NO_PROXY, 'localhost,127.0.0.1,127.0.0.0/8,::1,[::1]'].filter(Boolean).join(',');
  return { no_proxy: hosts, NO_PROXY: hosts };
}

function run(node, file, args) {
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', file, ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      ...directLoopback(process.env),
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, '.ananta', 'cache', 'node'),
      // The bundler unpacks its native part; by default that goes into the user's own cache folder.
      SWC_NATIVE_BINDING_CACHE: process.env.SWC_NATIVE_BINDING_CACHE ?? join(root, '.ananta', 'cache', 'swc'),
    },
  });
  // Ctrl-C reaches the child from the terminal itself; the others are passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => refuse(`${node} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else process.exit(code ?? 1);
  });
}

const [first, ...rest] = process.argv.slice(2);
checkPlatform();
if (!dependenciesAreFresh()) await withInstallLock(install);
const node = productNode();
if (first === '--run') run(node, join(root, rest[0]), rest.slice(1));
else if (first === '--bin') run(node, realpathSync(join(modules, '.bin', rest[0])), rest.slice(1));
else run(node, join(root, 'src', 'cli', 'main.ts'), first === undefined ? [] : [first, ...rest]);
