/** Exit codes of the program, for scripts: the same for every command. */
export const EXIT = {
  done: 0,
  /** The world refused: a database, a service or a disk; a sentence on stderr says what. */
  failed: 1,
  /** The command line or a setting is wrong; nothing was done. */
  misused: 2,
  /** `doctor` found what would keep the service from starting or from following a table, `storage verify` what does not hold. */
  unfit: 3,
  /** A second Ctrl-C, while the service drained. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
