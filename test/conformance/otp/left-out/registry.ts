/** Cases of section S4 that cannot apply to this runtime, each with the reason. */
const PATTERNS = 'Match specifications are patterns over Erlang terms; here `registered` lists the entries, and JavaScript filters them';
const NO_PROCESS = 'A registry here is a part of the runtime and no process: there is nothing to be linked to, and it cannot die alone';
const DUPLICATES = 'A name here belongs to one process: there are no registries with duplicate keys';

export const s4: Readonly<Record<string, string>> = {
  'S4-008': `${NO_PROCESS}.`,
  'S4-009': `${NO_PROCESS}.`,
  'S4-011': `${PATTERNS}.`,
  'S4-014': `${PATTERNS}.`,
  'S4-015': `${PATTERNS}.`,
  'S4-018': 'Partitions spread a registry over the schedulers of the BEAM; this runtime has one thread.',
  'S4-019':
    'The metadata of a registry is a table that every process may write; here state belongs to one process, and a key has a ' +
    'value of its holder.',
  'S4-020':
    'A lock of a registry makes concurrent callers wait in their own processes; a machine never blocks, and what must be ' +
    'exclusive belongs to one process.',
  'S4-021': `${DUPLICATES}.`,
  'S4-022': `${DUPLICATES}.`,
  'S4-023': `${DUPLICATES}.`,
  'S4-024': `${DUPLICATES}.`,
  'S4-025': `${DUPLICATES}.`,
  'S4-034': 'Listeners are no option of a registry, which is not started: a process listens by an effect with typed parameters.',
};
