/**
 * As whom the embedded Postgres runs. Postgres refuses to run as root, so root drops to an unprivileged user id.
 *
 * That user may be unable to walk to the cluster: a checkout in /root or in a private temporary folder. Then the
 * server keeps one capability, to pass folders that it may not read. access(2) ignores capabilities unless the
 * securebit `no_setuid_fixup` is set, and Postgres calls it on its own binaries: so that bit is needed as well.
 *
 * Where setpriv exists, the kernel also tells the server to shut down when its parent dies, even by kill -9.
 */
import { spawnSync } from 'node:child_process';
import { EmbeddedPostgresError } from './embedded-error.ts';

/** `nobody` on every Linux that has users at all; it need not be able to log in. */
const UNPRIVILEGED_ID = 65_534;

export interface Launcher {
  /** Who owns the cluster's files; undefined when that is the current user. */
  readonly owner: number | undefined;
  /** What to spawn in order to run `command`. */
  wrap(command: string, args: readonly string[]): Launch;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

type Caps = readonly string[];

/**
 * @param directory exists, and belongs to the launcher's owner already, or will.
 * @param binary one of the binaries that will be run.
 * @throws {EmbeddedPostgresError} when root finds no way to let another user in.
 */
export function launcherFor(directory: string, binary: string): Launcher {
  if (process.getuid?.() !== 0) return { owner: undefined, wrap: hasSetpriv() ? setpriv([]) : plain };
  const asOther = ['--reuid', String(UNPRIVILEGED_ID), '--regid', String(UNPRIVILEGED_ID), '--clear-groups'];
  const candidates = hasSetpriv() ? [asOther, ...withTraversal(asOther)].map(setpriv) : [plainAsOther];
  const wrap = candidates.find((candidate) => reaches(candidate, directory, binary));
  if (wrap === undefined) throw noAccess(directory);
  return { owner: UNPRIVILEGED_ID, wrap };
}

/** The weaker capability first; a container often has only the second to give. */
function withTraversal(asOther: Caps): Caps[] {
  return ['+dac_read_search', '+dac_override'].map((capability) => [
    ...asOther,
    `--inh-caps=${capability}`,
    `--ambient-caps=${capability}`,
    '--securebits=+no_setuid_fixup',
  ]);
}

function setpriv(options: Caps): Launcher['wrap'] {
  return (command, args) => ({ command: 'setpriv', args: [...options, '--pdeathsig', 'INT', '--', command, ...args] });
}

function plain(command: string, args: readonly string[]): Launch {
  return { command, args };
}

function plainAsOther(command: string, args: readonly string[]): Launch {
  return { command, args, uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID };
}

/** test(1) asks access(2), as Postgres does. */
function reaches(wrap: Launcher['wrap'], directory: string, binary: string): boolean {
  const probe = wrap('/bin/sh', ['-c', 'test -x "$0" && test -x "$1" && cd "$0"', directory, binary]);
  const { command, args, ...identity } = probe;
  return spawnSync(command, args, { ...identity, stdio: 'ignore' }).status === 0;
}

function hasSetpriv(): boolean {
  const { status, stdout } = spawnSync('setpriv', ['--help'], { encoding: 'utf8' });
  return status === 0 && stdout.includes('--pdeathsig');
}

function noAccess(directory: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'no_access',
    `Postgres does not run as root, and user id ${UNPRIVILEGED_ID} cannot reach ${directory}. Run as an ordinary ` +
      `user, or from a folder that others may enter, or install setpriv (util-linux), or set DATABASE_URL.`,
  );
}
