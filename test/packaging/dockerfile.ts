/**
 * A Dockerfile as a list of stages, and its build steps carried out in folders instead of images.
 *
 * Each stage gets a folder as its root. COPY and RUN do there what they say; what only matters in an image (USER,
 * VOLUME, HEALTHCHECK …) is kept for the reader. A step is refused when it would leave its folder: a build that writes
 * to absolute paths cannot be tried out here, and ours has no need to.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface Instruction {
  readonly keyword: string;
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

export class DockerfileError extends Error {
  override readonly name = 'DockerfileError';
}

/** @throws {DockerfileError} for an instruction that this reader does not know, or one before the first FROM. */
export function parseDockerfile(text: string): Stage[] {
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const { keyword, text: argument } of instructionsOf(text)) {
    if (keyword === 'FROM') {
      const [, base = '', name] = /^(\S+)(?: AS (\S+))?$/i.exec(argument) ?? [];
      stages.push({ name: name ?? String(stages.length), base, instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new DockerfileError(`${keyword} stands before the first FROM`);
    stage.instructions.push({ keyword, text: argument });
  }
  return stages;
}

const KEYWORDS = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'VOLUME', 'EXPOSE', 'HEALTHCHECK', 'CMD'];

function instructionsOf(text: string): Instruction[] {
  const joined = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line)).join('\n').replaceAll(/\\\n\s*/g, '');
  return joined.split('\n').map((line) => {
    const [, keyword = '', argument = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (!KEYWORDS.includes(keyword)) throw new DockerfileError(`unknown instruction: ${line}`);
    return { keyword, text: argument };
  });
}

/**
 * Carries out every stage, in order.
 *
 * @param context what `docker build` would send: a folder, already without what .dockerignore leaves out.
 * @param target an empty folder; stage `s` becomes `target/s`.
 * @param installed the `node_modules` of a repository with the same lock file: what `npm ci` puts there is linked instead.
 * @returns the working directory of the last stage.
 * @throws {DockerfileError} when a step fails, with the end of what it said.
 */
export function buildIn(target: string, stages: readonly Stage[], context: string, installed: string): string {
  let workDir = target;
  for (const stage of stages) {
    const root = join(target, stage.name);
    workDir = root;
    const env: Record<string, string> = {};
    mkdirSync(root, { recursive: true });
    for (const { keyword, text } of stage.instructions) {
      if (keyword === 'WORKDIR') mkdirSync((workDir = join(root, text)), { recursive: true });
      if (keyword === 'ENV') Object.assign(env, Object.fromEntries(text.split(' ').map((pair) => pair.split('=', 2))));
      if (keyword === 'COPY') copy(text, workDir, context, target);
      if (keyword === 'RUN' && !(text.startsWith('npm ci ') && isLinked(installed, workDir))) run(text, workDir, env);
    }
  }
  return workDir;
}

function copy(text: string, workDir: string, context: string, target: string): void {
  const words = text.split(' ');
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  const destination = paths.at(-1) ?? '';
  if (destination.startsWith('/')) throw new DockerfileError(`COPY ${text}: the destination is absolute`);
  for (const source of paths.slice(0, -1)) {
    const path = join(from === undefined ? context : join(target, from), source);
    if (!existsSync(path)) throw new DockerfileError(`COPY ${text}: ${source} is not there`);
    const into = destination.endsWith('/') ? join(workDir, destination, basename(source)) : join(workDir, destination);
    mkdirSync(dirname(into), { recursive: true });
    cpSync(path, into, { recursive: true, verbatimSymlinks: true });
  }
}

/**
 * A hundred times cheaper than to have npm unpack it all. The tree is one to be changed: nothing that npm writes in place is linked.
 *
 * @returns false where the packages are not those of the lock file, or lie on another device.
 */
function isLinked(installed: string, workDir: string): boolean {
  const [known, locked] = [join(installed, '.package-lock.json'), join(workDir, 'package-lock.json')].map(packagesOf);
  if (known === undefined || locked === undefined) return false;
  const isLocked = Object.entries(locked).every(([path, { integrity, optional }]) => {
    return path === '' || (optional && known[path] === undefined) || (integrity !== undefined && known[path]?.integrity === integrity);
  });
  const { status } = isLocked ? spawnSync('cp', ['-al', installed, workDir]) : { status: 1 };
  const copy = join(workDir, basename(installed));
  if (status !== 0) {
    rmSync(copy, { recursive: true, force: true });
    return false;
  }
  rmSync(join(copy, '.package-lock.json'));
  cpSync(join(installed, '.package-lock.json'), join(copy, '.package-lock.json'));
  return true;
}

interface LockedPackage {
  readonly integrity?: string;
  readonly optional?: boolean;
}

function packagesOf(lockFile: string): Readonly<Record<string, LockedPackage>> | undefined {
  if (!existsSync(lockFile)) return undefined;
  return (JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: Record<string, LockedPackage> }).packages;
}

function run(command: string, workDir: string, env: Record<string, string>): void {
  if (/(^|[\s=])\//.test(command)) throw new DockerfileError(`RUN ${command}: touches an absolute path`);
  try {
    execFileSync('sh', ['-ec', command], { cwd: workDir, env: { ...inherited(), ...env }, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new DockerfileError(`RUN ${command} failed: ${(stdout + stderr).slice(-2000)}`);
  }
}

/** An image knows nothing of the npm script or the test runner around this process. What npm has fetched before it need not fetch again. */
function inherited(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'NODE_EXTRA_CA_CERTS', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
  const kept = names.map((name) => [name, process.env[name]] as const);
  return { ...Object.fromEntries(kept), npm_config_prefer_offline: 'true' };
}

/** The folder that `docker build` would be sent: nothing but what a `!` line of .dockerignore lets in. */
export function contextOf(repository: string, target: string): string {
  const lines = readFileSync(join(repository, '.dockerignore'), 'utf8').split('\n').filter((line) => !/^(#|$)/.test(line));
  if (lines[0] !== '*') throw new DockerfileError('.dockerignore does not begin by leaving everything out');
  mkdirSync(target, { recursive: true });
  for (const line of lines.slice(1)) {
    if (!line.startsWith('!')) throw new DockerfileError(`.dockerignore: ${line} is not an exception`);
    const name = line.slice(1);
    if (existsSync(join(repository, name))) cpSync(join(repository, name), join(target, name), { recursive: true });
  }
  return target;
}
