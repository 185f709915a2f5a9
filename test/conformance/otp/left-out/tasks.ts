/** Cases of section S7 that cannot apply to this runtime, each with the reason. */
const STREAM =
  'A stream of tasks is a blocking enumeration in its caller. A machine never blocks: it asks for the next task when an ' +
  'outcome comes as an event';
const SEVERAL =
  'Waiting for several tasks at once blocks a caller in Elixir. A machine never blocks: each task tells its outcome under ' +
  'a word of its own';

export const s7: Readonly<Record<string, string>> = {
  'S7-004':
    'A task that is done before it begins is a value without a process; a machine that has the value needs no task to tell ' +
    'it (`continue`).',
  'S7-005': 'A task brings no child specification: how it is restarted says the template of its supervisor, like that of any process.',
  'S7-010': 'There are no other nodes: a runtime is one thread of one machine.',
  'S7-011': `${SEVERAL}.`,
  'S7-013': `${SEVERAL}.`,
  'S7-020': `${STREAM}.`,
  'S7-021': `${STREAM}.`,
  'S7-022': `${STREAM}.`,
  'S7-023': `${STREAM}.`,
  'S7-024': `${STREAM}.`,
  'S7-025': `${STREAM}.`,
  'S7-026': `${STREAM}.`,
  'S7-027': `${STREAM}.`,
  'S7-028': `${STREAM}.`,
  'S7-029': `${STREAM}.`,
  'S7-037': `${STREAM}.`,
};
